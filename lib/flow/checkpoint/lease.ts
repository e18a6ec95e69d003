// The lease as conditions: when it may be taken, and what must still hold when a holder or a loser writes. Each clause has
// a name and is joined where it is used. Times are of the DynamoDB server's clock; correctness rests on the token alone.

/** The server clock has a resolution of 1 s and both sides may be off by it: nobody takes a lease within this of its end. */
export const LEASE_MARGIN_MS = 2_000;

/** A back-up that comes later than this after it is needed is too late: another one is sent. */
const BACK_UP_LATENESS_MS = 60_000;

/**
 * Does a back-up wake-up lie ahead that comes in time? Sender and receiver may both be off by the margin: a wake-up must
 * never take itself for the one that comes later.
 */
export const isBackedUp = (backUpAt: number | undefined, now: number, by: number): boolean =>
  backUpAt !== undefined && backUpAt > now + 2 * LEASE_MARGIN_MS && backUpAt <= by + BACK_UP_LATENESS_MS;

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
  '#backUpAt': 'backUpAt',
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
  '#passedTo': 'passedTo',
  '#redelivered': 'redelivered',
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

/**
 * Texts by a short key, each made once: the same expression is then the same string, which everything that looks expressions
 * up finds without reading it again.
 */
export function rememberTexts(): (key: string, make: () => string) => string {
  const known = new Map<string, string>();
  return (key, make) => {
    let text = known.get(key);
    if (text !== undefined) return text;
    text = make();
    if (known.size < USED_BY_LIMIT) known.set(key, text);
    return text;
  };
}

/** An expression is one of a few hundred texts: what each of them uses is looked up once. */
const usedBy = { '#': new Map<string, readonly string[]>(), ':': new Map<string, readonly string[]>() };
/** Texts made at run time must not fill the memory. */
const USED_BY_LIMIT = 2_000;

/** The placeholders in an expression: names (`#`) or values (`:`). */
export function placeholdersIn(expression: string, kind: '#' | ':'): readonly string[] {
  const known = usedBy[kind].get(expression);
  if (known !== undefined) return known;
  const found = [...new Set(expression.match(kind === '#' ? /#\w+/g : /:\w+/g) ?? [])];
  if (usedBy[kind].size >= USED_BY_LIMIT) usedBy[kind].clear();
  usedBy[kind].set(expression, found);
  return found;
}

/** Only the placeholders that an expression uses: DynamoDB refuses unused ones. */
export function namesIn(...expressions: readonly (string | undefined)[]): Record<string, string> {
  const names: Record<string, string> = {};
  for (const expression of expressions) {
    if (expression === undefined) continue;
    for (const placeholder of placeholdersIn(expression, '#')) names[placeholder] = NAMES[placeholder as Placeholder];
  }
  return names;
}
