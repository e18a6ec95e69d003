// Drills in AWS are switched on by one prop and reach nothing but their own streams, consumer and table.

import { describe, expect, it } from '@jest/globals';
import { resourcesOf, statements, synthApp, type TemplateJson } from './synth.ts';

const { recovery } = synthApp({ recovery: { drill: true } }).templates;
const only = (type: string, part: string, template: TemplateJson = recovery) => {
  const found = resourcesOf(template, type).filter(([id]) => id.includes(part));
  expect(found.map(([id]) => id)).toHaveLength(1);
  return (found[0] as (typeof found)[number])[1].Properties;
};

describe('drills in AWS', () => {
  it('are not there unless they are asked for, by the prop or by the context', () => {
    const ids = (template: TemplateJson) => Object.keys(template.Resources).filter((id) => id.startsWith('Drill'));
    expect(ids(synthApp().templates.recovery)).toEqual([]);
    const byContext = synthApp({ context: { drill: 'true' } }).templates.recovery;
    expect(ids(byContext)).toEqual(ids(recovery));
    expect(ids(recovery).length).toBeGreaterThan(10);
  });

  it('run monthly and say every day whether they are on time', () => {
    expect(only('AWS::Events::Rule', 'DrillSchedule')).toMatchObject({
      ScheduleExpression: 'cron(0 5 1 * ? *)',
      Targets: [{ Input: '{"action":"run"}' }],
    });
    expect(only('AWS::Events::Rule', 'DrillCheckSchedule')).toMatchObject({
      ScheduleExpression: 'cron(30 6 * * ? *)',
      Targets: [{ Input: '{"action":"check"}' }],
    });
    expect(only('AWS::Lambda::EventInvokeConfig', 'DrillRunDrill').MaximumRetryAttempts).toBe(0);
  });

  it('append to streams of drills and to no other, and read nothing else', () => {
    const mine = statements(recovery, 'DrillRunDrill');
    const writes = mine.filter(({ Action }) =>
      [Action].flat().some((action) => /PutItem|UpdateItem/.test(String(action))),
    );
    const keys = writes.map(({ Condition }) =>
      Object.values(Condition ?? {}).flatMap((one) => Object.values(one).flat()),
    );
    expect(keys.flat().sort()).toEqual(['drill', 'drill-*', 'lease']);
    // The one without a condition is the drill's own table.
    const free = writes.filter(({ Condition }) => Condition === undefined);
    expect(free).toHaveLength(1);
    expect(JSON.stringify(free[0]?.Resource)).toMatch(/DrillTable/);
    const actions = mine.flatMap(({ Action }) => [Action].flat().map(String));
    expect(actions.filter((action) => /Scan|Delete/.test(action))).toEqual([]);
  });

  it('have a consumer that hears of streams of drills only, and not of the type whose loss it rehearses', () => {
    const { EventPattern } = only('AWS::Events::Rule', 'DrillRehearsalRule');
    expect(EventPattern).toMatchObject({
      'detail-type': ['DrillStep', '$StreamMoved'],
      detail: { streamId: [{ prefix: 'drill-' }] },
    });
    const declaration = JSON.parse(String(only('Custom::EventConsumer', 'Drill').Declaration));
    expect(declaration).toMatchObject({ drill: true, eventTypes: ['DrillStep', 'DrillUnheardStep'] });
  });
});
