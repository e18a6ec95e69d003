import { describe, expect, it } from '@jest/globals';
import { actionsOf, resourcesOf, statements, synthApp } from './synth.ts';

const { templates } = synthApp();
const inRecovery = (type: string, id: string) =>
  resourcesOf(templates.recovery, type).filter(([logicalId]) => logicalId.startsWith(id));

describe('the replay construct', () => {
  it('goes on every minute, knows its deployment, and lives as long as Lambda allows', () => {
    const [[, rule] = []] = inRecovery('AWS::Events::Rule', 'ReplayContinueSchedule');
    expect(rule?.Properties).toMatchObject({ ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
    const [[, fn] = []] = inRecovery('AWS::Lambda::Function', 'ReplayReplayEvents');
    expect(fn?.Properties).toMatchObject({
      Timeout: 900,
      Environment: { Variables: { DEPLOYMENT: '/event-recovery' } },
    });
  });

  it('alarms for continuations that failed and for replays that stopped by themselves', () => {
    const alarms = inRecovery('AWS::CloudWatch::Alarm', 'Replay');
    const runbooks = alarms.map(([, { Properties }]) => String(Properties.AlarmDescription).split('#').at(-1));
    expect(runbooks.sort()).toEqual(['replay-failed', 'replay-stopped']);
  });

  it('writes nothing but requests on checkpoints, the registry, and its own items of the Recovery table', () => {
    const written = statements(templates.recovery, 'ReplayReplayEvents').flatMap((statement) => {
      const keys = Object.values(statement.Condition ?? {}).flatMap((condition) => Object.values(condition).flat());
      const writes = actionsOf(statement).filter((action) => /dynamodb:(Put|Update|Delete|BatchWrite)/.test(action));
      return writes.length === 0
        ? []
        : [
            `${writes
              .map((action) => action.slice(9))
              .sort()
              .join(' ')} ${keys}`.trim(),
          ];
    });
    expect(written.sort()).toEqual([
      'BatchWriteItem PutItem plan#*',
      'DeleteItem PutItem replay-open',
      'PutItem UpdateItem plan',
      'PutItem UpdateItem replay',
      'PutItem audit#*',
      'PutItem registry',
      'UpdateItem',
      'UpdateItem gap#*',
      'UpdateItem lease',
      'UpdateItem replay-backfill',
    ]);
  });
});
