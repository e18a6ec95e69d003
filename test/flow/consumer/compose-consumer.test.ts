// What a composed consumer keeps of the registry, and when it asks again.

import { describe, expect, it } from '@jest/globals';
import { cachedRegistration } from '../../../lib/flow/consumer/compose-consumer.ts';
import type { RegisteredConsumer } from '../../../lib/model/consumer.ts';

function registryWith(...answers: (Partial<RegisteredConsumer> | Error | undefined)[]) {
  let asked = 0;
  const get = async () => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    if (answer instanceof Error) throw answer;
    return answer as RegisteredConsumer | undefined;
  };
  return { registration: cachedRegistration({ get }, 'inventory'), asked: () => asked };
}

describe('the registration that a consumer works with', () => {
  it('is read once and kept', async () => {
    const { registration, asked } = registryWith({ startPosition: 5 as never });
    for (let i = 0; i < 3; i++) expect(await registration({ fresh: false })).toMatchObject({ startPosition: 5 });
    expect(asked()).toBe(1);
  });

  it('is read again when somebody asks for a fresh one, and that one is kept', async () => {
    const { registration, asked } = registryWith({ drill: false }, { drill: true });
    await registration({ fresh: false });
    expect(await registration({ fresh: true })).toMatchObject({ drill: true });
    expect(await registration({ fresh: false })).toMatchObject({ drill: true });
    expect(asked()).toBe(2);
  });

  it('is a retryable error while there is none, and not remembered as that', async () => {
    const { registration } = registryWith(undefined, { drill: false });
    await expect(registration({ fresh: false })).rejects.toMatchObject({
      code: 'CONSUMER_NOT_REGISTERED',
      retryable: true,
    });
    expect(await registration({ fresh: false })).toMatchObject({ drill: false });
  });

  it('is asked for again after the registry could not be read', async () => {
    const { registration } = registryWith(new Error('throttled'), { drill: false });
    await expect(registration({ fresh: false })).rejects.toThrow('throttled');
    expect(await registration({ fresh: false })).toMatchObject({ drill: false });
  });
});
