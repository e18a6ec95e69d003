// Where copies of commits come from: the side table, or what was found in the archive.

import { EventRecoveryError } from '../../model/errors.ts';
import { queryAll } from '../../platform/dynamodb/pages.ts';
import type { Dynamo } from '../../platform/dynamodb/port.ts';
import { type Objects, readWhole } from '../archive/objects.ts';
import { RESTORE_PREFIX } from '../archive/places.ts';
import type { CopiesAt } from './choose.ts';
import { itemOf, type RawItem, textOf } from './raw-item.ts';
import { lastStanding, type Slot, type Survey } from './slots.ts';

export interface Copies {
  /** For the slots of one stream. */
  of(survey: Pick<Survey, 'streamId' | 'slots'>): Promise<CopiesAt>;
}

/** First and last version that copies are needed for, per slot. */
export const wantedVersions = (slots: readonly Slot[]): [from: number, to: number][] =>
  slots.flatMap((slot): [number, number][] => {
    if (slot.kind === 'foreign') return [];
    return [[slot.version, slot.kind === 'unknown' ? (slot.to ?? lastStanding(slot)) : slot.version]];
  });

export const noCopies: Copies = { of: async () => () => [] };

export function sideTableCopies(dynamo: Pick<Dynamo, 'query'>, sideTable: string): Copies {
  return {
    async of({ streamId, slots }) {
      const found: RawItem[] = [];
      for (const [from, to] of wantedVersions(slots)) {
        const items = queryAll(dynamo, {
          TableName: sideTable,
          KeyConditionExpression: '#streamId = :streamId AND #version BETWEEN :from AND :to',
          ExpressionAttributeNames: { '#streamId': 'streamId', '#version': 'version' },
          ExpressionAttributeValues: { ':streamId': streamId, ':from': from, ':to': to },
          ConsistentRead: true,
        });
        try {
          for await (const item of items) found.push(item);
        } catch (error) {
          throw (error as Error).name === 'ResourceNotFoundException' ? sideTableMissing(sideTable) : error;
        }
      }
      return at(found);
    },
  };
}

/** Copies that were found in the archive, kept between invocations: one object for each export that had any. */
export interface FoundCopies extends Copies {
  add(number: number, copies: readonly RawItem[]): Promise<void>;
}

export async function foundCopies(objects: Objects, restoreId: string, upTo: number): Promise<FoundCopies> {
  const key = (number: number): string => `${RESTORE_PREFIX}/${restoreId}/copies-${number}.jsonl`;
  const all: RawItem[] = [];
  for (let number = 0; number < upTo; number += 1) {
    const body = await readWhole(objects, key(number));
    const lines = (body?.toString('utf8') ?? '').split('\n').filter((line) => line !== '');
    all.push(...lines.map(itemOf));
  }
  return {
    of: async ({ streamId }) => at(all.filter((copy) => copy.streamId === streamId)),
    async add(number, copies) {
      await objects.write(key(number), copies.map((copy) => `${textOf(copy)}\n`).join(''));
      all.push(...copies);
    },
  };
}

function at(copies: readonly RawItem[]): CopiesAt {
  const byVersion = Map.groupBy(copies, ({ version }) => version as number);
  return (version) => byVersion.get(version) ?? [];
}

const sideTableMissing = (sideTable: string): EventRecoveryError =>
  new EventRecoveryError(
    'SIDE_TABLE_MISSING',
    `the side table ${sideTable} is gone: somebody has dropped it; remedy: apply the plan again, which makes it again`,
    { facts: { sideTable } },
  );
