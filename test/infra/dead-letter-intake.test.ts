// Nothing that a rule, a schedule or a function gives up on lies anywhere without somebody who takes it in and tells people.

import { describe, expect, it } from '@jest/globals';
import { resourcesOf, synthApp, type TemplateJson } from './synth.ts';

const { templates } = synthApp();

/** Parameter keys and logical ids behind a value: `<relay-repair-dead-letter-queue-arn>`, `GapScanDeadLetterQueue`. */
function nameOf(value: unknown, template: TemplateJson): string {
  const { Ref, 'Fn::GetAtt': attribute } = value as { Ref?: string; 'Fn::GetAtt'?: [string, string] };
  if (attribute !== undefined) return attribute[0];
  return template.Parameters?.[String(Ref)]?.Default?.split('/').at(-1) ?? String(Ref);
}

const intakeSources = (template: TemplateJson): string[] =>
  resourcesOf(template, 'AWS::Lambda::EventSourceMapping')
    .filter(([, { Properties }]) => /intake/i.test(nameOf(Properties.FunctionName, template)))
    .map(([, { Properties }]) => nameOf(Properties.EventSourceArn, template));

const queuesOf = (template: TemplateJson): string[] =>
  resourcesOf(template, 'AWS::SQS::Queue')
    .map(([id]) => id)
    .filter((id) => /DeadLetterQueue|Undelivered/.test(id));

describe('the dead-letter intake', () => {
  it('takes in what the functions and schedules of its own stack give up on, but for its own', () => {
    const all = queuesOf(templates.recovery);
    const taken = intakeSources(templates.recovery);
    const own = all.filter((id) => id.startsWith('DeadLetterIntake'));
    expect(own).toHaveLength(1);
    expect(all.length).toBeGreaterThanOrEqual(3);
    expect(taken).toEqual(expect.arrayContaining(all.filter((id) => !own.includes(id))));
    expect(taken).not.toEqual(expect.arrayContaining(own));
  });

  it('takes in what the ground floor gives up on', () => {
    const taken = intakeSources(templates.recovery);
    const shared = resourcesOf(templates.flow, 'AWS::SSM::Parameter').flatMap(([, { Properties }]) =>
      String(Properties.Name).endsWith('dead-letter-queue-arn') ? [Properties] : [],
    );
    expect(shared.map(({ Value }) => nameOf(Value, templates.flow)).sort()).toEqual(queuesOf(templates.flow).sort());
    for (const { Name } of shared) expect(taken).toContain(String(Name).split('/').at(-1));
  });

  it('takes in what consumers and their rules give up on', () => {
    expect(intakeSources(templates.example).sort()).toEqual(queuesOf(templates.example).sort());
    expect(queuesOf(templates.example)).toHaveLength(4);
  });
});
