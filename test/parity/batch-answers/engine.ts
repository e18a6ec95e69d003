// An event source mapping from a queue to a function that answers as it is told.

export interface MappingSettings {
  batchSize: number;
  /** Absent: it is never given up. */
  maxReceiveCount?: number;
}

/** One message of a batch as the function gets it. */
export interface Delivered {
  id: string;
  body: string;
  receiveCount: number;
}

/** What the function does with its nth batch: its answer, or an error. */
export type Script = (batch: readonly Delivered[], nth: number) => unknown;

export interface MappingSubject {
  /** Sends these, runs the mapping until it is quiet, and tells what happened. */
  run(bodies: readonly string[], script: Script): Promise<Outcome>;
}

export interface Outcome {
  /** `a x1`: body and receive count of every delivery, sorted. */
  delivered: string[];
  /** Messages that the queue still holds. */
  left: number;
  dead: string[];
}

/** Of the queue: longer than a busy machine lets an answered batch wait for its deletion. */
export const VISIBILITY_SECONDS = 2;

export const told = (batches: readonly (readonly Delivered[])[]): string[] =>
  batches
    .flat()
    .map(({ body, receiveCount }) => `${body} x${receiveCount}`)
    .sort();
