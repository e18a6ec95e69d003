import { describe, expect, it } from '@jest/globals';
import { handlerOf, NOTHING_TO_RUN } from '../../../lib/local/deploy/handlers.ts';
import { propertiesOf, type Resource } from '../../../lib/local/deploy/resource.ts';

const resource = (type: string, properties: Record<string, unknown> = {}): Resource => ({
  stackName: 'Stack',
  logicalId: 'Thing',
  type,
  properties,
  path: 'Stack/Thing/Resource',
});

describe('resources of a template', () => {
  it('refuses a type that it does not know, by name and place', () => {
    expect(() => handlerOf(resource('AWS::EC2::Instance'))).toThrow(/AWS::EC2::Instance \(Stack\/Thing\/Resource\)/);
  });

  it('refuses a property that would be lost silently', () => {
    const queue = resource('AWS::SQS::Queue', { VisibilityTimeout: 5, NewFeature: true });
    expect(() => propertiesOf(queue, ['VisibilityTimeout'])).toThrow(
      expect.objectContaining({
        code: 'LOCAL_UNSUPPORTED_PROPERTY',
        facts: expect.objectContaining({ what: 'NewFeature' }),
      }),
    );
    expect(propertiesOf(resource('X', { A: 1, B: 2, Tags: [] }), ['A'], ['B'])).toMatchObject({ A: 1 });
  });

  it('gives a reason for every type that has nothing to run', () => {
    for (const reason of Object.values(NOTHING_TO_RUN)) expect(reason.length).toBeGreaterThan(5);
  });
});
