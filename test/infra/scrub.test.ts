import { describe, expect, it } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Scrub } from '../../lib/infra/constructs/recovery/scrub.ts';
import { resourcesOf, synthApp } from './synth.ts';

const { templates } = synthApp();

describe('the scrub construct', () => {
  it('goes on every five minutes, ends before the next one begins, and knows its rotation and budget', () => {
    const [, rule] =
      resourcesOf(templates.recovery, 'AWS::Events::Rule').find(([id]) => id.startsWith('ScrubSchedule')) ?? [];
    expect(rule?.Properties).toMatchObject({ ScheduleExpression: 'rate(5 minutes)', State: 'ENABLED' });
    const [, fn] =
      resourcesOf(templates.recovery, 'AWS::Lambda::Function').find(([id]) => id.startsWith('ScrubScrubEvents')) ?? [];
    expect(fn?.Properties).toMatchObject({
      Timeout: 300,
      Environment: { Variables: { ROTATION_DAYS: '7', READ_UNITS_PER_SECOND: '100' } },
    });
  });

  it('alarms for silence, failures, a rotation that is late, and damage', () => {
    const alarms = resourcesOf(templates.recovery, 'AWS::CloudWatch::Alarm').filter(([id]) => id.startsWith('Scrub'));
    const anchors = alarms.map(([, { Properties }]) => String(Properties.AlarmDescription).split('#')[1]);
    expect(anchors.sort()).toEqual(['scrub-damage', 'scrub-failed', 'scrub-overdue', 'scrub-silent']);
    expect(alarms.map(([, { Properties }]) => [Properties.MetricName, Properties.Threshold])).toEqual(
      expect.arrayContaining([
        ['Scrubs', 1],
        ['ScrubOverdue', 100],
        ['OpenDamages', 1],
      ]),
    );
  });

  it.each([
    { rotationDays: 0 },
    { rotationDays: 61 },
    { rotationDays: 1.5 },
    { readUnitsPerSecond: 0 },
    { readUnitsPerSecond: 3_001 },
  ])('refuses %j at synth', (options) => {
    const stack = new Stack(new App(), 'Stack');
    const props = { ...options, eventStore: {} as never, eventBus: {} as never };
    expect(() => new Scrub(stack, 'Scrub', props)).toThrow(expect.objectContaining({ code: 'INVALID_SCRUB_OPTION' }));
  });
});
