// Where the files of a verification lie in the archive bucket.

export const VERIFICATIONS_PREFIX = 'verifications';

export const runKey = (run: string): string => `${VERIFICATIONS_PREFIX}/${run}/run.json`;
export const batchKey = (run: string, batch: number): string => `${VERIFICATIONS_PREFIX}/${run}/batch-${batch}.json`;
export const sumsKey = (run: string, batch: number): string => `${VERIFICATIONS_PREFIX}/${run}/sums-${batch}.json`;
