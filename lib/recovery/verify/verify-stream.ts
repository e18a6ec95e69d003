// One stream, re-read from the store: every commit's hash, the chain, contiguity and time; the log's and the directory's
// idea of it; and the books of every consumer over it.

import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { type AccountInput, openAccount, type StreamAccount } from './account.ts';
import { commitHash, GENESIS_HASH } from './commit-hash.ts';
import { type Item, queryItems } from './read.ts';
import type { SequencedCommit } from './read-log.ts';
import type { Violation } from './types.ts';

export interface StreamInput {
  streamId: string;
  /** The log's entries of this stream, in order. */
  sequenced: readonly SequencedCommit[];
  /** Version in the stream directory, read before the log and again after it; 0 when the stream is not in it. */
  directory: { before: number; after: number };
  accounts: readonly Omit<AccountInput, 'streamId'>[];
}

export interface StreamVerdict {
  head: number;
  commits: number;
  violations: Violation[];
  consumers: (Omit<StreamAccount, 'violations'> & { consumer: string })[];
}

export async function verifyStream(dynamo: Dynamo, eventsTable: string, input: StreamInput): Promise<StreamVerdict> {
  const { streamId } = input;
  const violations: Violation[] = [];
  const report = (kind: Violation['kind'], version: number, detail: string): void => {
    violations.push({ kind, streamId, version, detail });
  };
  const accounts = input.accounts.map((account) => openAccount({ ...account, streamId }));
  const log = new Map(input.sequenced.map((entry) => [entry.version, entry]));
  let head = 0;
  let commits = 0;
  let previousHash = GENESIS_HASH;
  let recordedAt = 0;

  const take = (item: Item): void => {
    const version = Number(item.version);
    const count = Number(item.count);
    const time = Number(item.recordedAt);
    if (version !== head + 1) report('store-hole', head + 1, `version ${version} follows version ${head}`);
    if (item.previousHash !== previousHash)
      report('store-chain', version, 'previousHash is not the hash of the commit before');
    if (time < recordedAt) report('store-time', version, `recordedAt ${time} after ${recordedAt}`);
    const { hash, types } = commitHash(item);
    if (hash !== item.hash) report('store-hash', version, 'the stored bytes do not match the stored hash');
    if (types.length !== count) report('store-unreadable', version, `${types.length} events where count says ${count}`);

    const entry = log.get(version);
    log.delete(version);
    if (entry !== undefined && !isSame(entry, { count, types, hash: String(item.hash) })) {
      report('log-other-commit', version, `the log knows another commit at position ${entry.position}`);
    }
    for (const [index, type] of types.entries()) {
      const position = entry === undefined ? Number.POSITIVE_INFINITY : entry.position + index;
      for (const account of accounts) {
        account.add({ version: version + index, type, position, recordedAt: time, commitHash: String(item.hash) });
      }
    }
    head = version + count - 1;
    previousHash = String(item.hash);
    recordedAt = Math.max(recordedAt, time);
    commits++;
  };

  for await (const item of queryItems(dynamo, eventsTable, { name: 'streamId', value: streamId })) {
    try {
      take(item);
    } catch (error) {
      report('store-unreadable', Number(item.version), String(error));
      head = Math.max(head, Number(item.version) + Number(item.count) - 1 || head);
    }
  }

  for (const entry of log.values()) {
    report(
      'log-unknown-commit',
      entry.version,
      `the log knows a commit at position ${entry.position} that the store does not hold`,
    );
  }
  const sequencedHead = input.sequenced.reduce((end, entry) => Math.max(end, entry.version + entry.count - 1), 0);
  // The relay may work meanwhile: what was sequenced before the log was read is in it, and the directory knows all that is.
  const { before, after } = input.directory;
  if (before > sequencedHead || after < sequencedHead) {
    const wrong = before > sequencedHead ? before : after;
    report('directory', sequencedHead, `the directory says ${wrong}, the log's pages ${sequencedHead}`);
  }
  if (sequencedHead < head && isOld(input, recordedAt)) {
    report('log-missing-commit', sequencedHead + 1, `the store ends at ${head}, the log at ${sequencedHead}`);
  }

  const consumers = accounts.map((account, index) => {
    const { violations: found, ...closed } = account.close(head);
    violations.push(...found);
    return { consumer: input.accounts[index]?.consumer.name as string, ...closed };
  });
  return { head, commits, violations, consumers };
}

const isSame = (entry: SequencedCommit, commit: { count: number; types: readonly string[]; hash: string }): boolean =>
  entry.count === commit.count &&
  commit.hash.startsWith(entry.hashPrefix) &&
  entry.types.length === commit.types.length &&
  entry.types.every((type, index) => type === commit.types[index]);

/** A commit that the relay has not reached yet is no violation while it is young. */
const isOld = (input: StreamInput, recordedAt: number): boolean =>
  input.accounts.every(({ now, lagBoundMs }) => now - recordedAt >= lagBoundMs);
