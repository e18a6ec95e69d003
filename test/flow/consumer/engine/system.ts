// A consumer with everything around it: stores on the memory engine, a queue, function processes that take batches from it,
// faults at every port, and the checks that must hold after every change and at the end.

import { createCheckpoints } from '../../../../lib/flow/checkpoint/checkpoints.ts';
import type { Checkpoints } from '../../../../lib/flow/checkpoint/port.ts';
import { checkDeclaration } from '../../../../lib/flow/consumer/declaration.ts';
import { createConsumerEngine } from '../../../../lib/flow/consumer/engine.ts';
import type { EngineDeps, RegistrationFacts } from '../../../../lib/flow/consumer/engine-port.ts';
import type { ParsedMessage, WakeUp } from '../../../../lib/flow/consumer/messages.ts';
import { parseRecord } from '../../../../lib/flow/consumer/parse-messages.ts';
import type { ReactContext } from '../../../../lib/flow/consumer/port.ts';
import { createDeadLetters } from '../../../../lib/flow/dead-letter/dead-letters.ts';
import type { DeadLetters } from '../../../../lib/flow/dead-letter/port.ts';
import { createEventStore } from '../../../../lib/flow/event-store/event-store.ts';
import type { EventStore } from '../../../../lib/flow/event-store/port.ts';
import { createMarkers } from '../../../../lib/flow/idempotency/markers.ts';
import type { Incident } from '../../../../lib/flow/relay/port.ts';
import type { Checkpoint } from '../../../../lib/model/checkpoint.ts';
import type { ConsumerDeclaration } from '../../../../lib/model/consumer.ts';
import type { Event } from '../../../../lib/model/event.ts';
import { consumerName, type Position, streamId as toStreamId, type Version } from '../../../../lib/model/ids.ts';
import type { QueueMessage } from '../../../../lib/model/wake-up.ts';
import { createMemoryDynamo, type MemoryDynamo } from '../../../../lib/platform/dynamodb/memory/index.ts';
import type { Dynamo, Write } from '../../../../lib/platform/dynamodb/port.ts';
import { ALL_TABLES } from '../../../../lib/platform/dynamodb/schemas.ts';
import { type RecordingLogger, recordingLogger } from '../../../../lib/platform/logging.ts';
import { type RecordingMetrics, recordingMetrics } from '../../../../lib/platform/metrics.ts';
import { type FaultPlan, Process, type RequestLog } from './process.ts';
import { Queue } from './queue.ts';
import { createVirtualTime, type VirtualTime } from './virtual-time.ts';

export const TYPE = 'OrderPlaced';
export const OTHER_TYPE = 'OrderViewed';
const EFFECTS = 'Effects';

export interface ReactInput {
  event: Event;
  context: ReactContext;
  /** The process that runs it: for a crash inside of react. */
  process: Process;
  time: VirtualTime;
}

export interface SystemOptions {
  declaration?: Partial<ConsumerDeclaration>;
  /** What happens besides the standard effect; throw to fail. Writes that it returns are added. */
  react?: (input: ReactInput) => Promise<readonly Write[] | undefined> | readonly Write[] | undefined;
  plan?: FaultPlan;
  seed?: number;
  /** Upper bound of the random time that a request takes, each way. @default 0 */
  jitterMs?: number;
  timeoutMs?: number;
  batchSize?: number;
  /** How often a received message is handed out once more at the same time. @default 0 */
  twicePerMille?: number;
  /** Functions at the same time. */
  concurrency?: number;
  maxReceives?: number;
  settings?: EngineDeps['settings'];
  registration?: Partial<RegistrationFacts>;
  versionAtPosition?: (position: number) => number;
  /** Every process sees the server's time wrong by at most this. @default 0 */
  skewMs?: number;
  wrapDynamo?: (dynamo: Dynamo, invocation: number) => Dynamo;
}

export interface Effect {
  streamId: string;
  version: number;
  replay?: ReactContext['replay'];
  attempt: number;
}

export class System {
  readonly time: VirtualTime;
  readonly dynamo: MemoryDynamo;
  readonly queue: Queue;
  readonly store: EventStore;
  /** Without faults: for assertions and operators. */
  readonly checkpoints: Checkpoints;
  readonly deadLetters: DeadLetters;
  readonly incidents: Incident[] = [];
  readonly logger: RecordingLogger = recordingLogger();
  readonly metrics: RecordingMetrics = recordingMetrics();
  readonly log: RequestLog = { requests: 0, faults: [] };
  /** Every react that was allowed to take effect outside, in order. */
  readonly effects: Effect[] = [];
  readonly violations: string[] = [];
  /** Invocations that died or were ended by their timeout. */
  interruptions = 0;
  readonly consumer;
  readonly #options: SystemOptions;
  #invocations = 0;

  constructor(options: SystemOptions = {}) {
    this.#options = options;
    this.time = createVirtualTime(options.seed);
    const { world } = this.time;
    this.dynamo = createMemoryDynamo({
      clock: world.clock,
      tables: [...ALL_TABLES, { name: EFFECTS, partitionKey: { name: 'pk', type: 'S' } }],
      onChange: (table, before, after) => this.#watch(table, before, after),
    });
    this.queue = new Queue(() => this.time.now(), options.maxReceives ?? 12);
    this.store = createEventStore({ dynamo: this.dynamo, eventsTable: 'Events', logTable: 'Log', world });
    this.checkpoints = createCheckpoints({ dynamo: this.dynamo, table: 'Checkpoints', world });
    this.deadLetters = createDeadLetters({ dynamo: this.dynamo, table: 'DeadLetters', world });
    this.declaration = checkDeclaration({
      name: 'inventory',
      eventTypes: [TYPE],
      effects: 'transactional',
      ...options.declaration,
    });
    this.consumer = consumerName(this.declaration.name);
  }

  readonly declaration;

  /** Appends one commit per number: that many events. Types may alternate. */
  async append(
    stream: string,
    commits: readonly number[],
    type: (version: number) => string = () => TYPE,
  ): Promise<void> {
    let version = await this.store.getVersion(stream);
    for (const count of commits) {
      const first = version;
      const events = Array.from({ length: count }, (_, i) => ({
        id: `e${first + i + 1}`,
        type: type(first + i + 1),
        data: { n: first + i + 1 },
        metadata: { correlationId: `${stream}/${first + i + 1}` },
      }));
      version = (await this.store.append(stream, events, version)).version;
    }
  }

  /** The bus delivers these versions, with or without their bodies. */
  async deliver(stream: string, versions: readonly number[], { bodies = true } = {}): Promise<void> {
    for (const version of versions) this.queue.send(await this.delivery(stream, version, bodies));
  }

  async delivery(stream: string, version: number, withBody = true): Promise<WakeUp> {
    const wakeUp: WakeUp = {
      kind: 'wake-up',
      streamId: toStreamId(stream),
      version: version as Version,
      reason: 'event',
      hops: 0,
      correlationId: `${stream}/${version}`,
    };
    if (!withBody) return wakeUp;
    for await (const commit of this.store.readCommits(stream, version, { limit: 1 })) {
      const event = commit.events.find(({ metadata }) => metadata.version === version);
      if (event) {
        wakeUp.delivered = {
          event: { ...event, metadata: { ...event.metadata, position: version as unknown as Position } },
          commitHash: commit.hash,
          commitVersion: commit.version,
        };
      }
    }
    return wakeUp;
  }

  wakeUp(stream: string, version: number, reason: WakeUp['reason'] = 'gap', hops = 0): void {
    this.queue.send({ kind: 'wake-up', streamId: toStreamId(stream), version: version as Version, reason, hops });
  }

  redeliver(
    stream: string,
    versions: readonly number[],
    replayId: string,
    suppressEffects?: boolean,
    more: { whileOpen?: boolean; correlationId?: string } = {},
  ): void {
    const body = {
      kind: 'redeliver' as const,
      streamId: toStreamId(stream),
      versions: versions as Version[],
      replayId,
    };
    this.queue.send({ ...body, hops: 0, ...(suppressEffects && { suppressEffects }), ...more });
  }

  /** Functions take batches until nothing is left in the queue. */
  async untilQuiet(): Promise<void> {
    const { concurrency = 2 } = this.#options;
    await this.time.run(Promise.all(Array.from({ length: concurrency }, () => this.#poll())));
  }

  async #poll(): Promise<void> {
    const { random, timers } = this.time.world;
    // 50 virtual hours: whatever is still there by then runs in circles.
    for (let polls = 0; !this.queue.isEmpty; polls += 1) {
      if (polls > 1_800_000) throw new Error('the queue never gets empty');
      const pick = (count: number) => Math.floor(random.next() * count);
      const { batchSize = 10, twicePerMille = 0 } = this.#options;
      const batch = this.queue.receive(
        batchSize,
        pick,
        () => twicePerMille > 0 && random.next() * 1000 < twicePerMille,
      );
      if (batch.length === 0) await timers.sleep(100);
      else await this.#invoke(batch);
    }
  }

  /** One invocation, ended at its timeout: a paused process goes on as a zombie, nobody listens to it any more. */
  async #invoke(batch: readonly ParsedMessage[]): Promise<void> {
    const { timeoutMs = 10_000 } = this.#options;
    const endsAt = this.time.now() + timeoutMs;
    const process = this.startProcess();
    const invocation = { remainingMs: () => endsAt - this.time.now(), requestId: `request-${this.#invocations}` };
    const ended = new AbortController();
    const timeout = this.time.world.timers.sleep(timeoutMs, ended.signal).then(
      () => 'timeout' as const,
      () => 'ended' as const,
    );
    const work = this.engine(process).handleBatch(batch, invocation);
    const result = await Promise.race([work, process.dead.then(() => 'crash' as const), timeout]);
    ended.abort();
    if (typeof result === 'string') {
      this.interruptions += 1;
      return;
    }
    const failed = new Set(result.failedMessageIds);
    this.queue.delete(batch.map(({ messageId }) => messageId).filter((id) => !failed.has(id)));
  }

  startProcess(): Process {
    this.#invocations += 1;
    const { jitterMs = 0, plan = { at: () => undefined } } = this.#options;
    const { random, timers } = this.time.world;
    return new Process(timers, this.log, plan, () => (jitterMs === 0 ? 0 : Math.floor(random.next() * jitterMs)));
  }

  /** @param instead of the standard parts */
  engine(process: Process, instead: Partial<Pick<EngineDeps, 'react' | 'registration' | 'markers'>> = {}) {
    const { world } = this.time;
    const { wrapDynamo = (dynamo: Dynamo) => dynamo, skewMs = 0 } = this.#options;
    const offsetMs = Math.round((world.random.next() * 2 - 1) * skewMs);
    const dynamo = wrapDynamo(process.dynamo(this.dynamo), this.#invocations);
    const facts: RegistrationFacts = {
      startFrom: 'beginning',
      startPosition: 0 as Position,
      eventTypes: Object.fromEntries(this.declaration.eventTypes.map((type) => [type, 0])) as never,
      ...this.#options.registration,
    };
    return createConsumerEngine({
      declaration: this.declaration,
      react: (event, context) => this.#react({ event, context, process, time: this.time }),
      eventStore: createEventStore({ dynamo, eventsTable: 'Events', logTable: 'Log', world }),
      checkpoints: createCheckpoints({ dynamo, table: 'Checkpoints', world }),
      markers: createMarkers({ dynamo, table: 'Idempotency', world }),
      deadLetters: createDeadLetters({ dynamo, table: 'DeadLetters', world }),
      registration: async () => facts,
      log: {
        versionAtPosition: async (_, position) => (this.#options.versionAtPosition?.(position) ?? 0) as Version,
      },
      incidents: {
        record: (incident) =>
          process.request('incident', async () => {
            this.incidents.push({ ...incident, status: 'open' });
          }),
      },
      wakeUps: {
        send: (_, messages) =>
          process.request('send', async () => {
            for (const { message, delaySeconds = 0 } of messages)
              this.queue.send(received(message), delaySeconds * 1000);
          }),
      },
      queueUrl: 'queue',
      ownTables: ALL_TABLES.map(({ name }) => name),
      markerTtlMs: 14 * 86_400_000,
      serverClock: { now: () => this.time.now() + offsetMs },
      world,
      logger: this.logger,
      metrics: this.metrics,
      settings: this.#options.settings,
      ...instead,
    });
  }

  async #react(input: ReactInput): Promise<readonly Write[] | undefined> {
    const { event, context, process } = input;
    const { streamId, metadata } = event;
    const { version } = metadata;
    const more = (await this.#options.react?.(input)) ?? [];
    const effect: Effect = {
      streamId,
      version,
      attempt: context.attempt,
      ...(context.replay && { replay: context.replay }),
    };
    if (this.declaration.effects === 'transactional') {
      await process.request('react', async () => undefined);
      return [...effectWrites(streamId, version, context.replay), ...more];
    }
    await process.request('react', async () => {
      this.effects.push(effect);
    });
    return undefined;
  }

  async checkpoint(stream: string): Promise<Checkpoint | undefined> {
    return this.checkpoints.get({ consumer: this.consumer, streamId: toStreamId(stream) });
  }

  /** What transactions of this stream have written: each version in the order of its commit. */
  applied(stream: string, scope = 'live'): number[] {
    const item = this.dynamo.items(EFFECTS).find(({ pk }) => pk === `${stream}|${scope}`);
    return (item?.applied as number[] | undefined) ?? [];
  }

  /** A checkpoint never goes back inside a generation, a token never at all; a lease ends before it is taken over. */
  #watch(table: string, before: Record<string, unknown> | undefined, after: Record<string, unknown> | undefined): void {
    if (table !== 'Checkpoints' || before === undefined || after === undefined) return;
    const [old, next] = [before, after] as Record<string, number>[] as [Record<string, number>, Record<string, number>];
    const n = (item: Record<string, number>, name: string) => item[name] ?? 0;
    const fail = (what: string) => this.violations.push(`${String(before.pk)}: ${what}`);
    if (n(next, 'generation') < n(old, 'generation')) fail('generation went back');
    if (n(next, 'generation') === n(old, 'generation') && n(next, 'version') < n(old, 'version'))
      fail('version went back');
    if (n(next, 'wanted') < n(old, 'wanted')) fail('wanted went back');
    if (n(next, 'token') < n(old, 'token')) fail('token went back');
    if (n(next, 'resolvedCount') !== n(next, 'version') - n(next, 'generationStart')) fail('count is not the prefix');
    const isTakeover = n(next, 'token') > n(old, 'token') && before.leaseOwner !== undefined;
    if (isTakeover && n(old, 'leaseUntil') >= this.time.now()) fail('a live lease was taken');
  }
}

/** As after a trip through the queue: what the engine sends must be what the edge's parser understands. */
function received(message: QueueMessage): ParsedMessage['body'] {
  const record = { messageId: 'sent', body: JSON.stringify(message) };
  const parsed = parseRecord(record, { name: message.consumer, drill: false });
  if (parsed.kind !== 'message') throw new Error(`not understood: ${JSON.stringify(parsed)}`);
  return parsed.message.body;
}

const effectWrites = (streamId: string, version: number, replay: ReactContext['replay']): Write[] => [
  {
    Update: {
      TableName: EFFECTS,
      Key: { pk: `${streamId}|${replay?.id ?? 'live'}` },
      UpdateExpression: 'SET applied = list_append(if_not_exists(applied, :none), :version)',
      ExpressionAttributeValues: { ':none': [], ':version': [version] },
    },
  },
];

export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
