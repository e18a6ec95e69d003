// What of a DynamoDB stream is delivered again, and what is given up, after what a function answered.
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html

import { type Answer, failed, MEANS_FAILURE, MEANS_SUCCESS } from '../answers.ts';
import type { Scenario } from '../scenario.ts';
import type { Outcome, Script, StreamRecord, StreamSettings, StreamSubject, Write } from './engine.ts';

const THREE: readonly Write[] = [
  ['a', 1],
  ['b', 2],
  ['c', 3],
];
const [A, B, C] = ['INSERT a 1', 'INSERT b 2', 'INSERT c 3'] as const;
const TOGETHER: StreamSettings = { batchSize: 10, maxRetries: 2 };

const number = ({ dynamodb }: StreamRecord): string => dynamodb.SequenceNumber;
const throwing = (): never => {
  throw new Error('the function failed');
};
/** Names the records of these keys, every time. */
const failing =
  (...keys: readonly string[]): Script =>
  (batch) =>
    failed(...batch.filter(({ dynamodb }) => keys.includes(dynamodb.Keys.pk.S)).map(number));
const once =
  (script: Script): Script =>
  (batch, nth) =>
    nth === 1 ? script(batch, nth) : failed();
const answering = ({ give }: Answer): Script => once((batch) => give(batch.map(number)));

const scenario = (
  name: string,
  settings: StreamSettings,
  script: Script,
  expected: Partial<Outcome>,
  writes: readonly Write[] = THREE,
): Scenario<StreamSettings, StreamSubject> => ({
  name,
  settings,
  play: ({ run }) => run(writes, script),
  expected: { givenUp: [], ...expected },
});

export const STREAMS: readonly Scenario<StreamSettings, StreamSubject>[] = [
  ...MEANS_SUCCESS.map((answer) =>
    scenario(`${answer.name}: the batch is done`, TOGETHER, answering(answer), { batches: [[A, B, C]] }),
  ),
  ...MEANS_FAILURE.map((answer) =>
    scenario(`${answer.name}: the whole batch again`, TOGETHER, answering(answer), {
      batches: [
        [A, B, C],
        [A, B, C],
      ],
    }),
  ),
  scenario('an error: the whole batch again', TOGETHER, once(throwing), {
    batches: [
      [A, B, C],
      [A, B, C],
    ],
  }),
  scenario('one failure: that record and everything after it again', TOGETHER, once(failing('b')), {
    batches: [
      [A, B, C],
      [B, C],
    ],
  }),
  scenario('the last one failed: only it again', TOGETHER, once(failing('c')), { batches: [[A, B, C], [C]] }),
  scenario('two failures: from the lower one on', TOGETHER, once(failing('b', 'c')), {
    batches: [
      [A, B, C],
      [B, C],
    ],
  }),
  scenario(
    'two failures named from behind: from the lower one on',
    TOGETHER,
    once((batch) => failed(...batch.slice(1).map(number).reverse())),
    {
      batches: [
        [A, B, C],
        [B, C],
      ],
    },
  ),
  scenario('a record that fails always: it and what is after it in its batch are given up', TOGETHER, failing('b'), {
    batches: [
      [A, B, C],
      [B, C],
      [B, C],
    ],
    givenUp: [B, C],
  }),
  scenario('a function that always throws: the whole batch is given up', { batchSize: 10, maxRetries: 1 }, throwing, {
    batches: [
      [A, B, C],
      [A, B, C],
    ],
    givenUp: [A, B, C],
  }),
  scenario('no retry: given up after the first failure', { batchSize: 10, maxRetries: 0 }, throwing, {
    batches: [[A, B, C]],
    givenUp: [A, B, C],
  }),
  scenario('batches of two, in order', { batchSize: 2, maxRetries: 0 }, () => failed(), { batches: [[A, B], [C]] }),
  scenario('a failed batch holds up the next one', { batchSize: 2, maxRetries: 1 }, once(throwing), {
    batches: [[A, B], [A, B], [C]],
  }),
  scenario(
    'a batch that was given up does not take the next one along',
    { batchSize: 2, maxRetries: 0 },
    once(throwing),
    { batches: [[A, B], [C]], givenUp: [A, B] },
  ),
  scenario(
    'one item, written three times and removed: its images in its order',
    TOGETHER,
    () => failed(),
    { batches: [['INSERT a 1', 'MODIFY a 1->2', 'MODIFY a 2->3', 'REMOVE a 3->']] },
    [
      ['a', 1],
      ['a', 2],
      ['a', 3],
      ['a', 'removed'],
    ],
  ),
  scenario(
    'writes that change nothing: no record',
    { ...TOGETHER, records: 2 },
    () => failed(),
    { batches: [['INSERT a 1', 'INSERT b 2']] },
    [
      ['a', 1],
      ['a', 1],
      ['gone', 'removed'],
      ['b', 2],
    ],
  ),
];
