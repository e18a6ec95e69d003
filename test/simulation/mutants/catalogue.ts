// Faults in our own guards, as data: each replaces one piece of text in one file, and the simulation must notice it. A guard
// whose absence nobody notices is not proved by any number of green seeds.

import type { Mutant } from './plant.ts';

const LEASE = 'lib/flow/checkpoint/lease.ts';
const ACQUIRE = 'lib/flow/checkpoint/acquire.ts';
const DECIDE_ACQUIRE = 'lib/flow/checkpoint/decide-acquire.ts';
const DECIDE_SAVE = 'lib/flow/checkpoint/decide-save.ts';
const SAVE = 'lib/flow/checkpoint/save.ts';
const MARKERS = 'lib/flow/idempotency/markers.ts';
const RESOLVE = 'lib/flow/consumer/resolve.ts';
const CATCH_UP = 'lib/flow/consumer/catch-up.ts';
const DECIDE_CATCH_UP = 'lib/flow/consumer/decide-catch-up.ts';
const DECIDE_EVENT = 'lib/flow/consumer/decide-event.ts';
const ENGINE = 'lib/flow/consumer/engine.ts';
const BATCH = 'lib/flow/consumer/batch-handler.ts';
const GIVE_UP = 'lib/flow/consumer/give-up.ts';
const PROGRESS = 'lib/flow/consumer/progress.ts';
const SEQUENCE = 'lib/flow/log/sequence.ts';
const GATHER = 'lib/flow/relay/gather.ts';
const RELAY_BATCH = 'lib/flow/relay/relay-batch.ts';
const APPEND = 'lib/flow/event-store/append.ts';
const COMMIT_TABLE = 'lib/flow/event-store/commit-table.ts';
const DECIDE_APPEND = 'lib/flow/event-store/decide-append.ts';
const SCAN_CONSUMER = 'lib/recovery/gap/scan-consumer.ts';
const DECIDE_STREAM = 'lib/recovery/gap/decide-stream.ts';
const GIVE_BACK = 'lib/recovery/redrive/give-back.ts';
const INTAKE = 'lib/recovery/dead-letter-intake/intake.ts';
const DECIDE_INTAKE = 'lib/recovery/dead-letter-intake/decide-intake.ts';
const SCRUB_RECORDER = 'lib/recovery/scrub/recorder.ts';
const TOTALS = 'lib/recovery/verify/totals.ts';
const ACCOUNT = 'lib/recovery/verify/account.ts';

const RECOVER = 'lib/recovery/recover/recover.ts';
const FINISH = 'lib/recovery/recover/finish.ts';

export const MUTANTS: readonly Mutant[] = [
  // Leases and tokens.
  {
    name: 'a lease is taken although somebody holds it',
    file: LEASE,
    from: '#leaseUntil < :expiredBefore)',
    to: '#leaseUntil > :expiredBefore OR #leaseUntil <= :expiredBefore)',
  },
  {
    name: 'a lease is taken a little before its end',
    file: LEASE,
    from: 'now - LEASE_MARGIN_MS;',
    to: 'now + 2 * LEASE_MARGIN_MS;',
  },
  {
    name: "leases are compared by each machine's own clock",
    file: 'lib/platform/server-clock.ts',
    from: 'base.now() + (offsetMs() ?? 0)',
    to: 'base.now()',
  },
  {
    name: 'a save under the lease does not look at the fencing token',
    file: LEASE,
    from: "tokenIsOurs: '#token = :token AND #leaseOwner = :owner'",
    to: "tokenIsOurs: '(#token = :token OR #token <> :token) AND (#leaseOwner = :owner OR attribute_exists(#version))'",
  },
  {
    name: 'taking over does not raise the token',
    file: ACQUIRE,
    from: "'#token = if_not_exists(#token, :zero) + :one'",
    to: "'#token = if_not_exists(#token, :one)'",
  },
  {
    name: 'a save that arrives late overtakes a later one',
    file: LEASE,
    from: "'(attribute_not_exists(#saved) OR #saved < :nonce)'",
    to: "'(attribute_not_exists(#saved) OR #saved < :nonce OR #saved >= :nonce)'",
  },

  {
    name: 'a save of which the answer was lost is not recognised',
    file: DECIDE_SAVE,
    from: "if (item.saved === nonce) return { kind: 'saved' };",
    to: "if (item.saved === 'never') return { kind: 'saved' };",
  },

  // Losers and their traces.
  {
    name: 'the loser of a lease acknowledges without a trace',
    file: DECIDE_ACQUIRE,
    from: 'if (redelivers || !(raises || needsBackUp))',
    to: 'if (redelivers || !needsBackUp)',
  },
  {
    name: 'the loser of a lease leaves no wake-up for the case that the holder dies',
    file: DECIDE_ACQUIRE,
    from: 'const needsBackUp = backUpBy !== undefined && !isBackedUp(item.backUpAt, now, backUpBy);',
    to: 'const needsBackUp = backUpBy !== undefined && isBackedUp(item.backUpAt, now, backUpBy);',
  },
  {
    name: 'a wake-up for later versions counts as up to date',
    file: DECIDE_ACQUIRE,
    from: 'if (nothingWaits && item.version >= wanted) {',
    to: 'if (nothingWaits) {',
  },
  // Effects and checkpoints.
  {
    name: 'effects and checkpoint are not one transaction',
    file: SAVE,
    from: '      await table.dynamo.transactWrite({ TransactItems });',
    to: '      await table.dynamo.transactWrite({ TransactItems: [...alongside] });\n      await conditionalUpdate(table, key, update);',
  },
  {
    name: 'a marker in progress is read as done',
    file: MARKERS,
    from: "if (found?.state === 'completed') return { kind: 'completed' };",
    to: "if (found !== undefined) return { kind: 'completed' };",
    also: [
      {
        from: 'anyOf(CLAUSES.isAbsent, CLAUSES.hasExpired, CLAUSES.isInProgressAtMostAsNew)',
        to: 'anyOf(CLAUSES.isAbsent, CLAUSES.hasExpired)',
      },
    ],
  },

  {
    name: 'a completed marker protects from nothing',
    file: MARKERS,
    from: "hasExpired: '#expiresAt <= :now'",
    to: "hasExpired: '(#expiresAt <= :now OR #expiresAt > :now)'",
  },
  {
    name: 'markers are never completed',
    file: RESOLVE,
    from: 'const isOurs = await markers.complete(key, { token, now, expiresAt: now + markerTtlMs });',
    to: 'const isOurs = now + markerTtlMs > 0;',
  },
  {
    name: 'the catch-up passes over an event that was not delivered',
    file: DECIDE_CATCH_UP,
    from: 'if (payload === undefined || !follows(previous, payload)) break;',
    to: 'if (payload === undefined) continue;\n    if (!follows(previous, payload)) break;',
  },
  {
    name: 'the catch-up begins at the checkpoint instead of after it',
    file: DECIDE_CATCH_UP,
    from: 'let next = version + 1;',
    to: 'let next = version > 0 ? version : version + 1;',
  },
  {
    name: 'the digest does not fold what was passed',
    file: PROGRESS,
    from: '(digest, { version: one, commitHash, outcome }) => foldDigest(digest, one, commitHash, outcome),',
    to: "(digest, { version: one, commitHash }) => foldDigest(digest, one, commitHash, 'resolved'),",
  },
  {
    name: 'an event that failed is resolved',
    file: CATCH_UP,
    from: "if (end.kind === 'failed') return failed(run, next, end);",
    to: "if (end.kind === 'failed') return resolve(run, next, { outcome: 'resolved' });",
  },
  // Acknowledgements.
  {
    name: 'the answer for a batch is an empty object',
    file: BATCH,
    from: 'return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };',
    to: 'return {} as BatchResponse;',
  },
  {
    name: 'messages of a stream that failed are acknowledged',
    file: ENGINE,
    from: "if (kind === 'fail') failed.push(...work.messageIds);",
    to: "if (kind === 'fail') failed.push(...work.messageIds.slice(1));",
  },
  {
    name: 'an unknown id is among the failures',
    file: BATCH,
    from: 'return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };',
    to: "return { batchItemFailures: [...failed, 'unknown'].map((itemIdentifier) => ({ itemIdentifier })) };",
  },
  // Poison.
  {
    name: 'a stream is parked without a dead letter',
    file: GIVE_UP,
    from: 'const rows = [engine.deadLetters.recordWrite(chained)];',
    to: 'const rows = [engine.deadLetters.recordWrite(chained)].slice(1);',
  },
  {
    name: 'an event is given up one try too early',
    file: 'lib/flow/consumer/decide-failure.ts',
    from: 'attempts >= maxAttempts)',
    to: 'attempts >= maxAttempts - 1)',
  },
  {
    name: 'tries are not counted',
    file: GIVE_UP,
    from: 'const attempting: Attempting = { version, count: attempts, firstFailedAt, lastError, retryAt };',
    to: 'const attempting: Attempting = { version, count: 0, firstFailedAt, lastError, retryAt };',
  },
  {
    name: 'nobody is suspected after an unclean end',
    file: DECIDE_EVENT,
    from: 'previousEndedUncleanly || (attempting !== undefined && attempting.lastError === undefined);',
    to: 'previousEndedUncleanly && attempting !== undefined && attempting.lastError === undefined && false;',
  },
  {
    name: 'an unclean end among others is blamed on the event',
    file: DECIDE_EVENT,
    from: 'const tries = attempting?.version === version ? attempting.count : 0;',
    to: 'const tries = attempting !== undefined ? attempting.count + 1 : 0;',
  },
  // Relay and log.
  {
    name: 'a page of the log replaces another one',
    file: SEQUENCE,
    from: "const noPageThere = 'attribute_not_exists(#pk)';",
    to: "const noPageThere = '(attribute_not_exists(#pk) OR attribute_exists(#pk))';",
  },
  {
    name: 'the directory moves from anywhere',
    file: SEQUENCE,
    from: "const streamIsWhereExpected = '#version = :expected';",
    to: "const streamIsWhereExpected = '(#version = :expected OR #version <> :expected)';",
  },
  {
    name: 'the relay does not fill in what is missing',
    file: GATHER,
    from: 'while (head.version < target) {',
    to: 'while (head.version < target && delivered.has(head.version + 1)) {',
  },
  {
    name: 'the relay acknowledges what it could not relay',
    file: RELAY_BATCH,
    from: 'failures: [...malformed, ...failed].sort((a, b) => a.index - b.index) };',
    to: 'failures: [...malformed, ...failed].slice(1) };',
  },
  {
    name: 'a backfill that ran out of budget is forgotten',
    file: RELAY_BATCH,
    from: 'if (prepared.behind !== undefined) behind.push([streamId, prepared.behind]);',
    to: 'if (prepared.behind !== undefined) behind.splice(0);',
  },
  {
    name: 'consumers are not told what an earlier try had sequenced',
    file: RELAY_BATCH,
    from: 'if (prepared.known) moved.add(streamId);',
    to: 'if (prepared.known) moved.delete(streamId);',
  },
  // The event store.
  {
    name: 'an append replaces what stands there',
    file: COMMIT_TABLE,
    from: "const nothingStandsThere = 'attribute_not_exists(#version)';",
    to: "const nothingStandsThere = '(attribute_not_exists(#version) OR attribute_exists(#version))';",
  },
  {
    name: 'an append does not recognise its own earlier try',
    file: DECIDE_APPEND,
    from: "if (ids.length === 0) return { kind: 'other' };",
    to: "if (ids.length >= 0) return { kind: 'other' };",
  },
  {
    name: 'time inside a stream may go back',
    file: APPEND,
    from: 'Math.max(Math.trunc(world.clock.now()), head.recordedAt)',
    to: 'Math.trunc(world.clock.now())',
  },
  // Detection and repair.
  {
    name: 'the scan passes over streams that were on their way',
    file: SCAN_CONSUMER,
    from: "if (answer.kind === 'resolved') {",
    to: "if (answer.kind === 'resolved' || answer.kind === 'lagging') {",
  },
  {
    name: 'the scan closes a debt of which a part is paid',
    file: DECIDE_STREAM,
    from: "if (reached >= owed.to) return { kind: 'resolved' };",
    to: "if (reached >= owed.from) return { kind: 'resolved' };",
  },
  {
    name: 'the scan wakes nobody',
    file: SCAN_CONSUMER,
    from: "return answer.kind === 'gap' ? open : undefined;",
    to: "return answer.kind === 'parked' ? open : undefined;",
  },
  {
    name: 'un-parking opens no debt',
    file: GIVE_BACK,
    from: "      deps.openGaps.openWrite({ consumer, streamId, from: version, to, reason: 'redrive' }, now),\n",
    to: '',
  },
  {
    name: 'un-parking does not change the row of the dead letter',
    file: GIVE_BACK,
    from: "      deps.deadLetters.statusWrite(letter.id, ['parked'], status, now, touched(letter, order)),\n",
    to: '',
  },
  {
    name: 'the intake drops what is not resolved',
    file: DECIDE_INTAKE,
    from: "if (version <= resolved) return { kind: 'drop', because: 'resolved' };",
    to: "if (version <= resolved + 1) return { kind: 'drop', because: 'resolved' };",
  },
  {
    name: 'the intake acknowledges what it could not take in',
    file: INTAKE,
    from: '      failed.push(record.messageId);\n      deps.logger.error(',
    to: '      deps.logger.error(',
  },
  {
    name: 'two scans run at once',
    file: 'lib/recovery/lease/leases.ts',
    from: "const expired = '#until < :expiredBefore';",
    to: "const expired = '(#until < :expiredBefore OR #until >= :expiredBefore)';",
  },
  // The scrub.
  {
    name: 'the scrub wakes nobody up for commits that the log lost',
    file: SCRUB_RECORDER,
    from: '    await continuations.send({ format: WAKE_UP_FORMAT, streamId, target, hops: 0 });\n',
    to: '',
  },
  {
    name: 'the scrub takes for lost what is on its way',
    file: 'lib/recovery/scrub/decide-unsequenced.ts',
    from: "ageMs > SEQUENCING_GRACE_MS + lagMs ? 'lost'",
    to: "ageMs > lagMs ? 'lost'",
  },
  {
    name: 'the scrub does not read what was appended while it scanned',
    file: 'lib/recovery/scrub/finish-stream.ts',
    from: 'if (sequencedTo > whole.end) {',
    to: 'if (sequencedTo < whole.end) {',
  },
  {
    name: 'the scrub closes no finding that is well again',
    file: SCRUB_RECORDER,
    from: 'if (!(await findings.close(finding.id, before, now()))) return;',
    to: 'if (before >= 0) return;',
  },
  {
    name: "the scrub's clock may go back while it looks",
    file: 'lib/recovery/scrub/scrub.ts',
    from: 'latest = Math.max(latest, now());',
    to: 'latest = now();',
  },
  // Replays.
  {
    name: 'a rewind keeps the generation',
    file: 'lib/flow/consumer/apply-rewind.ts',
    from: 'generation: stored.generation + 1,',
    to: 'generation: stored.generation,',
  },
  // Snapshots.
  {
    name: "a snapshot's bytes are believed",
    file: 'lib/flow/snapshot/coding.ts',
    from: 'stored.checksum === checksumOf(stored)',
    to: 'stored.checksum.length === checksumOf(stored).length',
  },
  {
    name: "a snapshot's own commit is folded once more",
    file: 'lib/flow/snapshot/rehydrate.ts',
    from: 'folded = { state: state as State, last: commit, events: 0 };',
    to: 'folded = foldCommit({ state: state as State, events: 0 }, commit, evolve);',
  },
  // The restore.
  {
    name: 'a restore leaves out the first commit that it should put back',
    file: 'lib/recovery/restore/work-stream.ts',
    from: 'for (const commit of commits) {',
    to: 'for (const commit of commits.slice(1)) {',
  },
  // The recovery.
  {
    name: 'a recovery takes no lease',
    file: RECOVER,
    from: 'const leases = isReadOnly(request) ? [] : await takeLeases(deps, id, consumers);',
    to: 'const leases = isReadOnly(request) || consumers.length > 0 ? [] : await takeLeases(deps, id, consumers);',
  },
  {
    name: 'a recovery that is refused keeps the leases that it got',
    file: RECOVER,
    from: "    await giveBack();\n    throw new EventRecoveryError(\n      'RECOVERY_RUNS',",
    to: "    throw new EventRecoveryError(\n      'RECOVERY_RUNS',",
  },
  {
    name: 'a recovery does not know its own lease when its beginning is tried again',
    file: 'lib/recovery/lease/leases.ts',
    from: '[neverTaken, givenBack, expired, ours].join',
    to: '[neverTaken, givenBack, expired].join',
  },
  {
    name: 'a recovery keeps its leases at its end',
    file: FINISH,
    from: 'for (const lease of accumulated.progress.leases) await leases.release(lease);',
    to: 'for (const lease of accumulated.progress.leases.slice(1)) await leases.release(lease);',
  },
  {
    name: 'a recovery says recovered without asking the verification',
    file: FINISH,
    from: '    !verdict.ok ||\n    stillStanding',
    to: '    stillStanding',
  },
  {
    name: 'a dry run of a recovery fills gaps',
    file: 'lib/recovery/recover/progress.ts',
    from: "if (request.dryRun) return job?.repair ?? 'report';",
    to: '',
  },
  {
    name: 'a recovery verifies all but one stream of a batch',
    file: 'lib/recovery/verify/verification.ts',
    from: '{ consumers, streams: new Map(entries), now, lagBoundMs },',
    to: '{ consumers, streams: new Map(entries.slice(1)), now, lagBoundMs },',
  },
  // The verifier.
  {
    name: 'the verifier always passes',
    file: TOTALS,
    from: 'const ok = numbers.violationCount === 0 && !incomplete;',
    to: 'const ok = numbers.violationCount >= 0 || !incomplete;',
  },
  {
    name: 'the verifier does not fold the digest again',
    file: ACCOUNT,
    from: 'else if (checkpoint.resolvedDigest !== digest) {',
    to: 'else if (checkpoint.resolvedDigest.length !== digest.length) {',
  },
];
