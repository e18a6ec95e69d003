// The lease as conditions: when it may be taken, and what must still hold when a holder or a loser writes. Each clause has
// a name and is joined where it is used. Times are of the DynamoDB server's clock; correctness rests on the token alone.

/** The server clock has a resolution of 1 s and both sides may be off by it: nobody takes a lease within this of its end. */
export const LEASE_MARGIN_MS = 2_000;

/** A lease that ends before this has ended for everybody. */
export const expiredBefore = (now: number): number => now - LEASE_MARGIN_MS;

/** Attribute names as placeholders: several of them (`token`, `version`) are or may become reserved words. */
export const NAMES = {
  '#version': 'version',
  '#generation': 'generation',
  '#generationStart': 'generationStart',
  '#resolvedCount': 'resolvedCount',
  '#resolvedDigest': 'resolvedDigest',
  '#wanted': 'wanted',
  '#token': 'token',
  '#leaseOwner': 'leaseOwner',
  '#leaseUntil': 'leaseUntil',
  '#leaseMode': 'leaseMode',
  '#leaseMessage': 'leaseMessage',
  '#takenFrom': 'takenFrom',
  '#saved': 'saved',
  '#attempting': 'attempting',
  '#retryAt': 'retryAt',
  '#parked': 'parked',
  '#deadLetterId': 'deadLetterId',
  '#redriving': 'redriving',
  '#lastDeadLetter': 'lastDeadLetter',
  '#rewind': 'rewind',
  '#lastRewindId': 'lastRewindId',
  '#replay': 'replay',
  '#updatedAt': 'updatedAt',
  '#format': 'format',
} as const;

export type Placeholder = keyof typeof NAMES;

export const CLAUSES = {
  exists: 'attribute_exists(#version)',
  leaseIsFree: '(attribute_not_exists(#leaseOwner) OR #leaseUntil < :expiredBefore)',
  leaseIsHeld: 'attribute_exists(#leaseOwner)',
  nobodyAskedForMore: '(attribute_not_exists(#wanted) OR #wanted <= :wanted)',
  somebodyAskedForAsMuch: '#wanted >= :wanted',
  askedForLess: '#wanted < :wanted',
  wantedIsReached: '#wanted <= :wantedAtMost',
  noRewindWaits: 'attribute_not_exists(#rewind)',
  isNotParked: '(attribute_not_exists(#parked) OR attribute_exists(#rewind))',
  isParkedBehind: '#parked.#deadLetterId = :deadLetterId',
  isNotDeferred:
    '(attribute_not_exists(#attempting.#retryAt) OR #attempting.#retryAt <= :now OR attribute_exists(#rewind))',
  isDeferredUntil: '#attempting.#retryAt = :retryAt',
  hasWork:
    '(attribute_not_exists(#version) OR #version < :wanted OR #version < #wanted OR attribute_exists(#leaseOwner) OR attribute_exists(#rewind))',
  tokenIsOurs: '#token = :token AND #leaseOwner = :owner',
  tokenIsTheSame: '#token = :token',
  followsTheLastSave: '(attribute_not_exists(#saved) OR #saved < :nonce)',
} as const;

export const allOf = (...clauses: readonly string[]): string => clauses.join(' AND ');

/** Only the placeholders that an expression uses: DynamoDB refuses unused ones. */
export function namesIn(...expressions: readonly (string | undefined)[]): Record<string, string> {
  const used = new Set(expressions.flatMap((expression) => expression?.match(/#\w+/g) ?? []));
  return Object.fromEntries(Object.entries(NAMES).filter(([placeholder]) => used.has(placeholder)));
}
