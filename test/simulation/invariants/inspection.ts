// The verifier is code under test, too: at the end of a run it must call the system sound, with the books that the ledger
// has; then one thing is damaged behind everybody's back, and it must see that.

import type { MemoryDynamo } from '../../../lib/platform/dynamodb/memory/index.ts';
import { verify } from '../../../lib/recovery/verify/verify.ts';
import { createPrng, type Prng } from '../kernel/prng.ts';
import type { Item } from './change.ts';
import type { Ledger } from './ledger.ts';
import type { Violations } from './violations.ts';

export interface Inspected {
  seed: number;
  engine: MemoryDynamo;
  ledger: Ledger;
  violations: Violations;
  now: number;
  /** Runs the microtasks that are ready: the memory engine needs nothing else. */
  drain: () => void;
  /** Notes which kind of damage was done. */
  onDamage: (name: string) => void;
}

const TABLES = {
  events: 'Events',
  log: 'Log',
  checkpoints: 'Checkpoints',
  deadLetters: 'DeadLetters',
  recovery: 'Recovery',
};

export function inspect(inspected: Inspected): void {
  const { seed, ledger, violations, onDamage } = inspected;
  const sound = judge(inspected);
  const events = [...ledger.stored.values()].reduce((sum, of) => sum + of.length, 0);
  const books = sound.consumers.map(({ consumer, conservation }) => ({ consumer, appended: conservation.appended }));
  if (!sound.ok) violations.report('verify-wrong', `refuses a sound system: ${JSON.stringify(sound).slice(0, 1_500)}`);
  if (sound.events !== events || books.some(({ appended }) => appended !== events)) {
    violations.report(
      'verify-wrong',
      `${events} events are stored, the verdict says ${sound.events}, ${JSON.stringify(books)}`,
    );
  }
  const prng = createPrng(seed, 'damage');
  const damage = prng.pick(DAMAGES);
  if (!damage.apply(inspected.engine, prng)) return;
  onDamage(damage.name);
  if (judge(inspected).ok) violations.report('verify-wrong', `does not see it: ${damage.name}`);
}

function judge({ engine, now, drain }: Inspected): Awaited<ReturnType<typeof verify>> {
  let verdict: Awaited<ReturnType<typeof verify>> | undefined;
  let failure: unknown;
  verify({ dynamo: engine, tables: TABLES }, { now, quiet: true }).then(
    (answer) => {
      verdict = answer;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  drain();
  if (verdict === undefined) throw new Error('the verifier gave no answer', { cause: failure });
  return verdict;
}

interface Damage {
  name: string;
  /** False: there is nothing to damage in this run. */
  apply(engine: MemoryDynamo, prng: Prng): boolean;
}

type Change = (item: Item) => Item;

/** One item of a table, chosen by the seed. */
const replacing = (name: string, table: string, isMeant: (item: Item) => boolean, change: Change): Damage => ({
  name,
  apply: (engine, prng) => {
    const meant = engine.items(table).filter(isMeant);
    if (meant.length === 0) return false;
    engine.replaceItem(table, change(prng.pick(meant)));
    return true;
  },
});

const removing = (name: string, table: string, isMeant: (item: Item) => boolean, key: readonly string[]): Damage => ({
  name,
  apply: (engine, prng) => {
    const meant = engine.items(table).filter(isMeant);
    if (meant.length === 0) return false;
    const item = prng.pick(meant);
    return engine.removeItem(table, Object.fromEntries(key.map((part) => [part, item[part]])));
  },
});

const any = (): boolean => true;
const isCheckpoint = ({ sk, version }: Item): boolean => sk === 'checkpoint' && Number(version) > 0;

const DAMAGES: readonly Damage[] = [
  replacing(
    'stored bytes changed',
    'Events',
    ({ events }) => typeof events === 'string',
    (item) => ({
      ...item,
      events: String(item.events).replace('filler', 'Filler'),
    }),
  ),
  replacing('recorded time changed', 'Events', any, (item) => ({ ...item, recordedAt: Number(item.recordedAt) + 1 })),
  removing('commit removed', 'Events', any, ['streamId', 'version']),
  removing('log page removed', 'Log', ({ pk }) => String(pk).startsWith('page#'), ['pk', 'sk']),
  replacing(
    'directory set back',
    'Log',
    ({ sk }) => sk === 'head',
    (item) => ({
      ...item,
      version: Number(item.version) - 1,
    }),
  ),
  replacing('checkpoint set back', 'Checkpoints', isCheckpoint, (item) => ({
    ...item,
    version: Number(item.version) - 1,
  })),
  replacing('digest changed', 'Checkpoints', isCheckpoint, (item) => ({ ...item, resolvedDigest: 'f'.repeat(64) })),
  replacing('parked without a dead letter', 'Checkpoints', isCheckpoint, (item) => ({
    ...item,
    parked: { version: Number(item.version) + 1, deadLetterId: 'nobody', since: 0 },
  })),
  replacing('dead letter opened again', 'DeadLetters', any, (item) => ({ ...item, status: 'parked' })),
];
