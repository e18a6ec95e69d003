// What a function may answer to a batch when ReportBatchItemFailures is on, and what AWS makes of it. The ids are the batch's.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html

export interface Answer {
  name: string;
  /** The function's answer, given the ids of its batch. */
  give(ids: readonly string[]): unknown;
}

const failures = (...ids: readonly unknown[]): object => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
});

export const MEANS_SUCCESS: readonly Answer[] = [
  { name: 'nothing', give: () => undefined },
  { name: 'null', give: () => null },
  { name: 'an empty object', give: () => ({}) },
  { name: 'an empty list of failures', give: () => failures() },
  { name: 'a null list of failures', give: () => ({ batchItemFailures: null }) },
  { name: 'an object with other members', give: () => ({ statusCode: 500 }) },
];

export const MEANS_FAILURE: readonly Answer[] = [
  { name: 'an unknown id', give: () => failures('unknown') },
  { name: 'an unknown id beside a known one', give: ([first]) => failures(first, 'unknown') },
  { name: 'an empty id', give: () => failures('') },
  { name: 'a null id', give: () => failures(null) },
  { name: 'a number as id', give: () => failures(7) },
  { name: 'another member than itemIdentifier', give: ([first]) => ({ batchItemFailures: [{ messageId: first }] }) },
  { name: 'null in the list', give: () => ({ batchItemFailures: [null] }) },
  { name: 'a list that is none', give: ([first]) => ({ batchItemFailures: first }) },
  { name: 'a text', give: () => 'done' },
  { name: 'a list', give: () => [] },
];

export const failed = failures;
