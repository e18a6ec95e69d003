// What stays in a queue after what a function answered.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

import { type Answer, failed, MEANS_FAILURE, MEANS_SUCCESS } from '../answers.ts';
import type { Scenario } from '../scenario.ts';
import type { MappingSettings, MappingSubject, Outcome, Script } from './engine.ts';

const THREE = ['a', 'b', 'c'];
const ONCE = ['a x1', 'b x1', 'c x1'];
const TWICE = ['a x1', 'a x2', 'b x1', 'b x2', 'c x1', 'c x2'];
const BATCH = { batchSize: 10 };

const idsOf = (batch: Parameters<Script>[0]): string[] => batch.map(({ id }) => id);
const failing =
  (...bodies: readonly string[]): Script =>
  (batch) =>
    failed(...batch.filter(({ body }) => bodies.includes(body)).map(({ id }) => id));
const throwing = (): never => {
  throw new Error('the function failed');
};

const scenario = (
  name: string,
  settings: MappingSettings,
  script: Script,
  expected: Partial<Outcome>,
  bodies: readonly string[] = THREE,
): Scenario<MappingSettings, MappingSubject> => ({
  name,
  settings,
  play: ({ run }) => run(bodies, script),
  expected: { left: 0, dead: [], ...expected },
});

/** The first batch gets this answer, later ones a good one: what comes again was not deleted. */
const firstAnswer =
  ({ give }: Answer): Script =>
  (batch, nth) =>
    nth === 1 ? give(idsOf(batch)) : failed();

export const BATCH_ANSWERS: readonly Scenario<MappingSettings, MappingSubject>[] = [
  ...MEANS_SUCCESS.map((answer) =>
    scenario(`${answer.name} deletes the whole batch`, BATCH, firstAnswer(answer), { delivered: ONCE }),
  ),
  ...MEANS_FAILURE.map((answer) =>
    scenario(`${answer.name} keeps the whole batch`, BATCH, firstAnswer(answer), { delivered: TWICE }),
  ),
  scenario('an error keeps the whole batch', BATCH, (_, nth) => (nth === 1 ? throwing() : failed()), {
    delivered: TWICE,
  }),
  scenario('one failure keeps that message', BATCH, (batch, nth) => (nth === 1 ? failing('b')(batch, nth) : failed()), {
    delivered: ['a x1', 'b x1', 'b x2', 'c x1'],
  }),
  scenario(
    'two failures keep these two',
    BATCH,
    (batch, nth) => (nth === 1 ? failing('a', 'c')(batch, nth) : failed()),
    { delivered: ['a x1', 'a x2', 'b x1', 'c x1', 'c x2'] },
  ),
  scenario(
    'a failure that is named twice is one',
    BATCH,
    (batch, nth) => (nth === 1 ? failed(batch[0]?.id, batch[0]?.id) : failed()),
    { delivered: ['a x1', 'a x2'] },
    ['a'],
  ),
  scenario(
    'every message named keeps the whole batch',
    BATCH,
    (batch, nth) => (nth === 1 ? failed(...idsOf(batch)) : failed()),
    { delivered: TWICE },
  ),
  scenario(
    'a message that always fails goes to the dead-letter queue, the others do not',
    { ...BATCH, maxReceiveCount: 2 },
    failing('b'),
    { delivered: ['a x1', 'b x1', 'b x2', 'c x1'], dead: ['b'] },
  ),
  scenario(
    'a function that always throws takes the whole batch to the dead-letter queue',
    { ...BATCH, maxReceiveCount: 2 },
    throwing,
    { delivered: TWICE, dead: THREE },
  ),
  scenario(
    'an answer that nobody can read takes the whole batch to the dead-letter queue',
    { ...BATCH, maxReceiveCount: 1 },
    () => failed('unknown'),
    { delivered: ONCE, dead: THREE },
  ),
  scenario(
    'batches of one fail by themselves',
    { batchSize: 1, maxReceiveCount: 1 },
    (batch) => (batch[0]?.body === 'b' ? throwing() : failed()),
    { delivered: ONCE, dead: ['b'] },
  ),
  scenario('batches of one are all worked off', { batchSize: 1 }, () => failed(), { delivered: ONCE }),
];
