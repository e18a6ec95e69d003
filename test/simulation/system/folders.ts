// Readers of the simulation: processes that fold streams into their state with the real snapshots, while streams grow, requests
// fail and stored snapshots are damaged. Whatever a snapshot holds, the state must be the fold of the stream itself.

import { createEventStore } from '../../../lib/flow/event-store/event-store.ts';
import { createRehydrate, type Rehydrate } from '../../../lib/flow/snapshot/rehydrate.ts';
import { createSnapshots } from '../../../lib/flow/snapshot/snapshots.ts';
import { createPrng } from '../kernel/prng.ts';
import type { SimulatedProcess } from '../kernel/process.ts';
import type { Cloud } from './cloud.ts';

const EVERY_MS = 20_000;
/** Small, so that a stream of twenty events has several. */
const SNAPSHOT_EVERY = 3;
const DAMAGE_CHANCE = 0.15;
const FOLDERS = 2;

interface Folder {
  process: SimulatedProcess;
  rehydrate: Rehydrate;
}

/** Two of them, at the same time, until `until`. */
export function planFolders(cloud: Cloud, until: number): void {
  const { scheduler, plan } = cloud;
  const prng = createPrng(plan.seed, 'folders');
  const folders = new Map<number, Folder>();
  for (let at = scheduler.now() + EVERY_MS; at < until; at += EVERY_MS) {
    for (let number = 1; number <= FOLDERS; number++) {
      scheduler.at(at + prng.int(0, 40), () => {
        const streamId = prng.pick(plan.streams);
        if (prng.chance(DAMAGE_CHANCE)) damage(cloud, streamId, prng.int(0, 2));
        fold(cloud, folderOf(cloud, folders, number), streamId);
      });
    }
  }
}

function folderOf(cloud: Cloud, folders: Map<number, Folder>, number: number): Folder {
  const known = folders.get(number);
  if (known !== undefined && known.process.state !== 'dead') return known;
  const process = cloud.startProcess(`folder-${number}/${cloud.scheduler.steps}`);
  const { dynamo } = cloud.reach(process);
  const { world } = process;
  const eventStore = createEventStore({ dynamo, eventsTable: 'Events', logTable: 'Log', world });
  const snapshots = createSnapshots({ dynamo, snapshotsTable: 'Snapshots', world });
  const made = { process, rehydrate: createRehydrate({ eventStore, snapshots, clock: world.clock }) };
  folders.set(number, made);
  return made;
}

function fold(cloud: Cloud, { process, rehydrate }: Folder, streamId: string): void {
  const { scheduler, checks, violations, trace, branches } = cloud;
  const { ledger } = checks;
  const take = (branch: string): void => void branches.set(`snapshot: ${branch}`, 1);
  process.deliver(scheduler.now(), () => {
    const headBefore = ledger.head(streamId);
    const options = {
      initial: { ids: [] as string[] },
      evolve: ({ ids }: { ids: string[] }, event: { id: string }) => ({ ids: [...ids, event.id] }),
      snapshotEvery: SNAPSHOT_EVERY,
    };
    rehydrate(streamId, options).then(
      ({ state, version, snapshotVersion, snapshot }) => {
        const wanted = (ledger.stored.get(streamId) ?? []).slice(0, version).map(({ id }) => id);
        const where = `${streamId} by ${process.name}, from a snapshot at ${snapshotVersion}`;
        if (version < headBefore) violations.report('snapshot-wrong', `${where}: ends at ${version} of ${headBefore}`);
        if (wanted.join() !== state.ids.join()) {
          violations.report('snapshot-wrong', `${where}: at ${version}: ${state.ids.join()}, stored: ${wanted.join()}`);
        }
        trace.note(process.name, `folds ${streamId} up to ${version} from ${snapshotVersion}: ${snapshot}`);
        take(snapshotVersion > 0 ? 'used' : 'not used');
        take(snapshot);
      },
      (error: unknown) => trace.note(process.name, `cannot fold ${streamId}: ${(error as Error).name}`),
    );
  });
}

/** What no request of ours does to the stored snapshot. */
function damage({ engine, branches, trace }: Cloud, streamId: string, kind: number): void {
  const item = engine.items('Snapshots').find((one) => one.streamId === streamId);
  if (item === undefined) return;
  const state = String(item.state);
  if (kind === 0) engine.replaceItem('Snapshots', { ...item, state: state.replace('e', 'f') });
  else if (kind === 1) engine.replaceItem('Snapshots', { ...item, version: Number(item.version) + 1 });
  else engine.removeItem('Snapshots', { streamId, name: item.name });
  branches.set('snapshot: damage', 1);
  trace.note('damage', `snapshot of ${streamId}`);
}
