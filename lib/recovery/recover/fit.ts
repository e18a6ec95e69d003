// What travels through the state machine has a bound in bytes: a state has at most 256 KiB, its input and what it answers
// (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html). Shares of it, over the longest ids and names:
// request, jobs and call 80 KiB, batches 20, names and leases of 100 consumers 20, two verdicts 2 x 54, findings and steps 2 x 12.

/** Input of a recovery. It travels twice: in its job, and in the call to the job's function. */
export const REQUEST_BYTES_MAX = 16 * 1_024;
/** Gaps to fill in one round; the next round takes the others. */
export const BATCHES_BYTES_MAX = 20 * 1_024;
/** Findings that are listed; they come most urgent first, and the step that found them counts all. */
export const FINDINGS_BYTES_MAX = 12 * 1_024;
/** Of the last look, what a person has to do; commands for the first ones are enough to begin with. */
export const STANDING_BYTES_MAX = 4 * 1_024;
/** Steps of the report; the oldest become one. */
export const STEPS_BYTES_MAX = 12 * 1_024;
/** Streams of one restore; another recovery takes the rest. */
export const STREAMS_BYTES_MAX = 12 * 1_024;
/** What an operation or a failure says in the end. */
export const SENTENCE_MAX = 240;

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '') + 1;

/** The first ones that together have at most so many bytes of JSON. */
export function fitting<Item>(items: readonly Item[], bytesMax: number): Item[] {
  let bytes = 2;
  const end = items.findIndex((item) => {
    bytes += bytesOf(item);
    return bytes > bytesMax;
  });
  return items.slice(0, end < 0 ? items.length : end);
}

export const sentence = (text: string): string =>
  text.length <= SENTENCE_MAX ? text : `${text.slice(0, SENTENCE_MAX - 3)}...`;
