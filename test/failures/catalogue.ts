// The failures that must not break the system, and the tests that inject each of them. docs/failures.md is printed from this
// list; a test holds the two together, and every named test to its file.

export interface NamedTest {
  /** Relative to `test/`. */
  file: string;
  /** As it stands in the source: `%s` and `$name` are not filled in. */
  title: string;
}

export interface Failure {
  failure: string;
  mustHold: string;
  tests: readonly NamedTest[];
}

const at = (file: string, ...titles: string[]): NamedTest[] => titles.map((title) => ({ file, title }));

const ENGINE = 'flow/consumer/engine';
const RELAY_BATCH = 'flow/relay/relay-batch.test.ts';
const DAMAGE = 'flow/relay/damage.test.ts';
const GAP_SCAN = 'recovery/gap/scan.test.ts';
const CHECKPOINTS = 'contracts/checkpoints.contract.ts';
const MARKERS = 'contracts/markers.contract.ts';
const ROWS = 'failures/rows.test.ts';

/** In the order of their numbers, from 1. */
export const FAILURES: readonly Failure[] = [
  {
    failure: 'a record fails for ever and would block its shard or queue',
    mustHold: 'its stream is parked with a dead letter, all others go on',
    tests: at(
      `${ENGINE}/giving-up.test.ts`,
      'is tried again after 1 and 4 seconds, then parks its stream; other streams of the batch go on',
    ),
  },
  {
    failure: 'the DynamoDB stream forgets records after 24 hours',
    mustHold: 'they are filled in from the store, nothing is lost',
    tests: at(
      RELAY_BATCH,
      'are read from the store and published like the others (failure 2)',
      'are found after a day in which the relay stood still (failure 2)',
    ),
  },
  {
    failure: 'an on-failure record carries metadata only',
    mustHold: 'the destination is S3, which carries the records; nothing rests on the metadata',
    tests: [
      ...at(
        'infra/flow-stack.test.ts',
        'sends what it gave up on to S3, the only destination that carries the records',
      ),
      ...at('flow/relay/repair.test.ts', 'with fewer records than the metadata say asks for a scrub as well'),
    ],
  },
  {
    failure: 'batches are throttled before the function is invoked, whatever the retry count says',
    mustHold: 'everything still ends as resolved or parked',
    tests: at(ROWS, 'batches that are throttled before they are invoked end as resolved or parked (failure 4)'),
  },
  {
    failure: 'an empty or null batch response means full success',
    mustHold: 'no handler can answer it',
    tests: [
      ...at('flow/consumer/batch-handler.test.ts', 'that is done leaves an empty list, never an empty answer'),
      ...at(
        'flow/relay/handle-event.test.ts',
        'is an error when a failed record has no number: it must not look like a success (failures 5 and 6)',
      ),
    ],
  },
  {
    failure: 'an unknown item identifier means full failure',
    mustHold: 'nothing is lost and no effect is doubled',
    tests: at('flow/consumer/batch-handler.test.ts', 'comes back as a whole when the engine answers with %s'),
  },
  {
    failure: 'the lowest failed record becomes the checkpoint of the stream mapping',
    mustHold: 'later records that succeeded are resolved once',
    tests: [
      ...at(RELAY_BATCH, 'of the bus fail from the first record of each stream that was concerned'),
      ...at('local/mappings/stream-batch.test.ts', 'goes on from the lowest record that was reported'),
    ],
  },
  {
    failure: 'a crash between effect and checkpoint',
    mustHold: 'one effect for a transactional consumer, at least one for an idempotent one',
    tests: at(`${ENGINE}/every-await.test.ts`, 'with one %s at every request'),
  },
  {
    failure: 'a timeout leaves a marker in progress',
    mustHold: 'it is taken over, and never read as done',
    tests: [
      ...at(MARKERS, 'never reads "in progress" as done: a higher token takes over at once'),
      ...at(`${ENGINE}/giving-up.test.ts`, 'begins nothing with %d ms left: the messages come back'),
    ],
  },
  {
    failure: 'a zombie completes or releases after its lease ended',
    mustHold: 'its token is refused',
    tests: [
      ...at(CHECKPOINTS, 'refuses a holder whose lease was taken over'),
      ...at(MARKERS, 'refuses a late holder at the beginning and at the end'),
    ],
  },
  {
    failure: 'the same wake-up many times at once',
    mustHold: 'one winner; losers leave a trace before they acknowledge; nothing reaches the dead-letter queue',
    tests: [
      ...at(CHECKPOINTS, 'lets one of 64 claimers win, and every loser leaves its trace'),
      ...at(
        `${ENGINE}/catch-up.test.ts`,
        'puts nothing into the dead-letter queue when 50 wake-ups of one stream meet 10 functions',
      ),
    ],
  },
  {
    failure: 'the response is lost after the commit',
    mustHold: 'the retry changes nothing and is told the result',
    tests: [
      ...at('contracts/event-store/retry.contract.ts', 'after the write is found again (expected version %s)'),
      ...at(CHECKPOINTS, 'applies once when the response was lost'),
      ...at('flow/log/faults.test.ts', 'knows its own page again when the response of the transaction is lost'),
    ],
  },
  {
    failure: 'a client request token is forgotten after ten minutes',
    mustHold: "the write's own condition decides",
    tests: at(
      ROWS,
      'an append that is tried again after 11 minutes is stored once (failure 13)',
      'a page that is written again after 11 minutes, when DynamoDB has forgotten its token, is the same page (failure 13)',
    ),
  },
  {
    failure: 'clocks are up to five minutes off',
    mustHold: 'no lease is taken early, recorded time never goes back inside a stream',
    tests: [
      ...at('platform/server-clock.test.ts', 'two machines that are ten minutes apart agree within the lease margin'),
      ...at(
        'contracts/event-store/append.contract.ts',
        'never records an earlier time than the commit before, even when the clock goes back',
      ),
      ...at(GAP_SCAN, 'on a machine whose clock is five minutes ahead takes no lease that another scan still holds'),
    ],
  },
  {
    failure: 'time to live deletes days late, or early',
    mustHold: 'expiry is checked in code',
    tests: at(
      MARKERS,
      'checks the expiry itself: TTL may remove a marker days late',
      'completes also when TTL removed the marker in between',
    ),
  },
  {
    failure: 'deletions by time to live appear in the DynamoDB stream',
    mustHold: 'they are ignored',
    tests: at('flow/relay/parse-record.test.ts', 'of a TTL deletion is ignored'),
  },
  {
    failure: 'transaction conflicts and throttling',
    mustHold: 'jittered, bounded retries; never a business error',
    tests: [
      ...at('flow/event-store/aws-sdk.test.ts', 'is no business error: the same item is sent again after a pause'),
      ...at('flow/log/faults.test.ts', 'gives up after a bounded number of throttled tries'),
      ...at(`${ENGINE}/infrastructure.test.ts`, 'for minutes: messages come back, nobody is blamed, nothing is lost'),
    ],
  },
  {
    failure: 'a hot stream',
    mustHold: 'its checkpoint skips nothing, the others go on',
    tests: at(ROWS, 'a hot stream whose key is throttled skips nothing, and the others go on (failure 18)'),
  },
  {
    failure: 'sizes: 400 KB items, 1 MB messages and entries, 256 KB states',
    mustHold: 'refused at the append, or sent without body and read from the store',
    tests: [
      ...at(
        'contracts/event-store/size.contract.ts',
        'may be 400 KB as DynamoDB counts it, and not a byte more (characters of %s)',
      ),
      ...at('flow/relay/bus-entry-size.test.ts', 'one byte around the limit (%d): body left out %s (failure 19)'),
      ...at('local/state-machine.system.test.ts', 'does not carry more than 256 KiB from state to state'),
    ],
  },
  {
    failure: 'a redrive loop: new message ids reset the counters',
    mustHold: 'rounds are counted in our table and capped',
    tests: at(
      'contracts/redrive.contract.ts',
      'gives a dead letter back three times, then only with force and a reason',
    ),
  },
  {
    failure: "Lambda's detection of recursive loops",
    mustHold: 'continuations opt out, and have a cap of their own',
    tests: [
      ...at(ROWS, 'a consumer opts out of the detection of loops, because its own cap ends them (failure 21)'),
      ...at(
        `${ENGINE}/catch-up.test.ts`,
        'goes on in a new invocation when time is short, with as many hops as it takes',
      ),
    ],
  },
  {
    failure: 'a message in a dead-letter queue expires by its first enqueue time',
    mustHold: 'queues keep 14 days, the table keeps the dead letter',
    tests: [
      ...at('infra/event-consumer.test.ts', 'keeps messages for 14 days in every queue, encrypted, over TLS only'),
      ...at(ROWS, 'a dead letter outlives every message about it (failure 22)'),
    ],
  },
  {
    failure: 'a replay storm',
    mustHold: 'its rate is capped and what it has out at once is bounded',
    tests: at(
      'recovery/replay/replay.test.ts',
      'is kept: streams are given as their events allow',
      'leaves at most a window of streams without an end',
    ),
  },
  {
    failure: "a visibility timeout under six times the function's",
    mustHold: 'it does not synthesize',
    tests: at(
      'infra/event-consumer.test.ts',
      'a visibility timeout under six times the timeout',
      'gives the function 10 seconds and hides a received message for six times as long',
    ),
  },
  {
    failure: 'a redelivered trigger starts many executions',
    mustHold: 'the same name, so one execution',
    tests: [
      ...at(
        'recovery/start/start-recovery.test.ts',
        'the same name for the same finding and evidence, another one when the evidence has moved',
        'happens once, however often the sign is delivered, also when its recovery has ended meanwhile',
        'happens once when its function died before it noted the start, and the execution %s meanwhile',
      ),
      ...at(
        'local/state-machine.system.test.ts',
        'takes the same start for the same execution while it runs, and its name for good',
      ),
    ],
  },
  {
    failure: 'deliveries are shuffled, doubled and dropped',
    mustHold: 'order per stream, one resolution',
    tests: [
      ...at(
        `${ENGINE}/schedules.test.ts`,
        'resolves a contiguous prefix, exactly once where that is promised, and forgets nothing',
      ),
      ...at(
        'flow/relay/relay.property.test.ts',
        'gives each event exactly one position, in order, and announces it (failures 26, 31, 32, 38)',
      ),
    ],
  },
  {
    failure: 'Step Functions end at 25,000 history events and 256 KB of state',
    mustHold: 'a Distributed Map, lists with a share in bytes, rounds that end; nothing is left out',
    tests: [
      ...at(ROWS, 'gaps are filled by a Distributed Map whose results are not collected (failure 27)'),
      ...at(
        'recovery/recover/state-size.test.ts',
        'takes %s through its rounds, none left out',
        'fits with the longest request, a hundred consumers with every problem, and the longest history',
      ),
      ...at(
        'recovery/recover/verification-states.test.ts',
        'are Distributed Maps of Standard workflows whose results are not collected',
      ),
      ...at(
        'recovery/recover/progress.test.ts',
        'after a bounded number of rounds when its jobs change from round to round for ever',
      ),
    ],
  },
  {
    failure: 'the gap scan meets events in flight',
    mustHold: 'no false gap; gaps at head, middle and tail are found',
    tests: at(
      GAP_SCAN,
      'calls events in flight lagging and not a gap: young ones, a busy queue, a live lease',
      'finds a %s gap, wakes the consumer, and the next scan proves it closed',
    ),
  },
  {
    failure: 'a scan overlaps a scan, a recovery a recovery',
    mustHold: 'one of them works',
    tests: [
      ...at(GAP_SCAN, 'never overlaps another scan'),
      ...at(
        'recovery/recover/state-machine.test.ts',
        'lets one recovery work on a consumer, and gives the lease back at its end',
      ),
    ],
  },
  {
    failure: 'a restore is older than the checkpoints',
    mustHold: 'a checkpoint beyond the head is detected and reported',
    tests: [
      ...at('recovery/verify/account.test.ts', 'report a checkpoint beyond the head and a wrong count'),
      ...at(
        'recovery/restore/restore.test.ts',
        'closes the incidents of its streams, and reports checkpoints beyond their end',
      ),
    ],
  },
  {
    failure: 'records of one stream out of order',
    mustHold: 'positions in the order of versions',
    tests: at(RELAY_BATCH, 'takes the records of one stream in any order, doubled and mixed with others (failure 31)'),
  },
  {
    failure: 'two relays at once, or the whole DynamoDB stream again',
    mustHold: 'each event has exactly one position',
    tests: at(
      RELAY_BATCH,
      'gets no second positions, and says that its streams moved (failures 32, 38)',
      'reads the whole stream again from its beginning without a new position or an incident (failure 32)',
      'with the same batch give each event exactly one position',
    ),
  },
  {
    failure: 'stored bytes changed, a commit in the middle or at the end deleted',
    mustHold: 'exactly that stream is reported and repaired',
    tests: [
      ...at(
        'recovery/scrub/any-damage.property.test.ts',
        'of the Events table is found, and only in the streams that it was done to',
      ),
      ...at(
        'recovery/restore/restore.test.ts',
        'puts back one commit of which a byte was flipped, and touches no other item',
        'fills what is missing in the middle and at the end, several streams at once',
      ),
    ],
  },
  {
    failure: 'a repair fails after the scan moved on; a crash between un-park or rewind and the wake-up',
    mustHold: 'the open-gap row stays, and the next scan sees it',
    tests: [
      ...at(
        GAP_SCAN,
        'forgets nothing when the repair fails: the row is seen again by every scan until the gap is closed',
        'sees a rewound stream although nothing moved, by its open-gap row',
      ),
      ...at(
        'contracts/redrive.contract.ts',
        'writes un-park, status, open gap and audit together before anything is sent',
      ),
      ...at(
        'recovery/replay/replay.test.ts',
        'leaves an open-gap row when it dies between the request and the wake-up',
      ),
    ],
  },
  {
    failure: 'a function dies with ten streams in its batch, in the middle of a catch-up',
    mustHold: 'exactly the guilty event is blamed, only its stream is parked',
    tests: at(
      `${ENGINE}/giving-up.test.ts`,
      'in a batch of ten %s streams, in the middle of a catch-up: exactly the guilty event is blamed',
    ),
  },
  {
    failure: 'a new consumer, an added event type, a removed consumer',
    mustHold: 'a planned backfill, or a start from now; no gap for ever',
    tests: [
      ...at('flow/registry/decide-registration.test.ts', 'applies from the head and plans a backfill of its history'),
      ...at(
        GAP_SCAN,
        "begins a gap at the first owed event of a consumer that starts now, not at the stream's beginning",
        'owes nothing of a type that was added later, and says that its backfill is planned',
      ),
    ],
  },
  {
    failure: 'the relay meets a damaged stream, or a backfill of 100,000 commits',
    mustHold: 'the rest of the batch goes on, the work is bounded',
    tests: [
      ...at(DAMAGE, 'with a missing commit is sequenced up to the hole, the rest of the batch goes on (failure 37)'),
      ...at(
        'flow/relay/continue-backfill.test.ts',
        'gets a bounded part, the rest of the batch goes on, and the stream in a wake-up of its own (failure 37)',
      ),
    ],
  },
  {
    failure: 'the retry after a crash publishes less than was sequenced',
    mustHold: 'consumers of any type wake up, also when no later event comes',
    tests: at(
      RELAY_BATCH,
      'publishes again after a crash between sequencing and publishing, without any later event (failure 38)',
    ),
  },
  {
    failure: 'an append after a truncation, after a table was set back, or into a hole',
    mustHold: 'refused, or kept and appended again; an acknowledged event is never taken for a duplicate',
    tests: [
      ...at(
        'contracts/event-store/damage.contract.ts',
        'is refused when the stream was cut off at version %s although more was sequenced',
        'is refused when its place is a hole',
      ),
      ...at(
        'recovery/restore/restore.test.ts',
        'keeps events that were appended on top of a truncation: set aside, then appended at the restored head',
      ),
    ],
  },
  {
    failure: 'a rewind under a live lease, a redelivery beside live traffic, two replays',
    mustHold: 'applied by the lease holder, in order, once per generation or replay id',
    tests: [
      ...at(
        `${ENGINE}/rewind-redeliver.test.ts`,
        'asked for while a holder is at work is applied by that holder before it releases',
        'beside live traffic at every moment leaves both complete',
      ),
      ...at('recovery/replay/every-await.test.ts', '%s any request ends as if nothing had happened twice'),
    ],
  },
];

/** The table of docs/failures.md. */
export function failuresTable(): string {
  const rows = FAILURES.map(({ failure, mustHold, tests }, index) => {
    const files = [...new Set(tests.map(({ file }) => file))].map((file) => `\`test/${file}\``);
    return `| ${index + 1} | ${failure} | ${mustHold} | ${files.join('<br>')} |`;
  });
  return ['| # | failure | what must hold | tests |', '|---|---|---|---|', ...rows].join('\n');
}
