// Checks that commits which are read one after the other are neighbours: no hole, linked by their hashes, time that never
// goes back. Pure; throws before the commit is handed out.

import { type Commit, GENESIS_HASH, lastVersion } from '../../model/commit.ts';
import { StreamDamagedError } from '../../model/errors.ts';

/** Checks the next commit in the direction of reading. @throws StreamDamagedError */
export type ChainCheck = (commit: Commit) => void;

export function createChainCheck(direction: 'forwards' | 'backwards'): ChainCheck {
  let previous: Commit | undefined;
  return (commit) => {
    if (commit.version === 1 && commit.previousHash !== GENESIS_HASH) {
      throw damaged(commit, 1, `the first commit names ${commit.previousHash} as the one before it`);
    }
    if (previous !== undefined) {
      if (direction === 'forwards') checkNeighbours(previous, commit);
      else checkNeighbours(commit, previous);
    }
    previous = commit;
  };
}

export function checkNeighbours(earlier: Commit, later: Commit): void {
  const end = lastVersion(earlier);
  if (later.version > end + 1) throw damaged(later, end + 1, `no commit holds version ${end + 1}`);
  if (later.version <= end) throw damaged(later, later.version, `two commits hold version ${later.version}`);
  if (later.previousHash !== earlier.hash) {
    throw damaged(later, later.version, `its previousHash ${later.previousHash} is not the hash of version ${end}`);
  }
  if (later.recordedAt < earlier.recordedAt) {
    throw damaged(later, later.version, `it was recorded at ${later.recordedAt}, before the one before it`);
  }
}

const damaged = (commit: Commit, version: number, damage: string): StreamDamagedError =>
  new StreamDamagedError(commit.streamId, version, damage);
