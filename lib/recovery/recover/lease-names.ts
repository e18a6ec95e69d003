// The lease of a consumer that is being recovered.

/** Before the consumer's name. */
export const RECOVERY_LEASE = 'recovery#';
