// Looks copies up in the archive, export by export, those first whose time fits; ends as soon as every stream has what it needs.
// What was found is kept after each export, so that a search of hours goes on where it was.

import type { Objects } from '../archive/objects.ts';
import type { ArchivedExport, ArchiveRows } from '../archive/port.ts';
import { dataFilesOf, imagesIn } from '../archive/read-export.ts';
import { chooseCopies } from './choose.ts';
import { type FoundCopies, foundCopies, wantedVersions } from './copies.ts';
import { digestOf, type RawItem } from './raw-item.ts';
import type { RestoreRow } from './rows.ts';
import type { Survey } from './slots.ts';

export interface SearchDeps {
  objects: Objects;
  archive: Pick<ArchiveRows, 'exports'>;
}

/** Producers' clocks may be wrong by minutes: a commit can lie in the neighbouring export. */
const CLOCK_ERROR_MS = 5 * 60_000;
/** Time kept for what is written after an export was read. */
const RESERVE_MS = 5_000;

export interface Searched {
  copies: FoundCopies;
  readExports: number;
  /** Objects with copies. */
  found: number;
  /** False: the time was over, go on later. */
  isOver: boolean;
  /** There is no completed export to search in. */
  isEmpty: boolean;
}

/** @throws EventRecoveryError `ARCHIVE_FILE_MISSING`, `ARCHIVE_FILE_ALTERED` */
export async function searchArchive(
  { objects, archive }: SearchDeps,
  row: Pick<RestoreRow, 'id' | 'createdAt' | 'readExports' | 'copies'>,
  surveys: readonly Survey[],
  remainingMs: () => number,
  onProgress: (progress: { readExports: number; copies: number }) => Promise<void>,
): Promise<Searched> {
  const order = await exportsInOrder(archive, row.createdAt, surveys);
  const copies = await foundCopies(objects, row.id, row.copies);
  const isWanted = wantedImages(surveys);
  let { readExports, copies: found } = row;
  while (!(await isComplete(surveys, copies))) {
    const next = order[readExports];
    if (next === undefined) break;
    if (remainingMs() < RESERVE_MS) return { copies, readExports, found, isOver: false, isEmpty: false };
    const images = new Map<string, RawItem>();
    for (const file of await dataFilesOf(objects, next.manifestKey)) {
      for (const image of await imagesIn(objects, file, isWanted)) images.set(digestOf(image), image);
    }
    if (images.size > 0) {
      await copies.add(found, [...images.values()]);
      found += 1;
    }
    readExports += 1;
    await onProgress({ readExports, copies: found });
  }
  return { copies, readExports, found, isOver: true, isEmpty: order.length === 0 };
}

async function isComplete(surveys: readonly Survey[], copies: FoundCopies): Promise<boolean> {
  for (const survey of surveys) {
    if (chooseCopies(survey, await copies.of(survey)).notFound.length > 0) return false;
  }
  return true;
}

function wantedImages(surveys: readonly Survey[]): (image: RawItem) => boolean {
  const ranges = new Map(surveys.map(({ streamId, slots }) => [streamId as string, wantedVersions(slots)]));
  return ({ streamId, version }) =>
    (ranges.get(String(streamId)) ?? []).some(([from, to]) => Number(version) >= from && Number(version) <= to);
}

async function exportsInOrder(
  archive: Pick<ArchiveRows, 'exports'>,
  until: number,
  surveys: readonly Survey[],
): Promise<ArchivedExport[]> {
  const exports: ArchivedExport[] = [];
  // Later ones would change the order under a search that is under way.
  for await (const one of archive.exports()) if (one.completedAt <= until) exports.push(one);
  const times = surveys.flatMap(({ slots }) =>
    slots.flatMap((slot) => (slot.kind === 'known' ? [slot.recordedAt] : [])),
  );
  return [...exports].sort((a, b) => Number(fits(b, times)) - Number(fits(a, times)) || b.to - a.to);
}

/** A full export holds everything until its time, an incremental one what was written in its span. */
const fits = ({ kind, from, to }: ArchivedExport, times: readonly number[]): boolean =>
  times.some((time) => time <= to + CLOCK_ERROR_MS && (kind === 'full' || time >= from - CLOCK_ERROR_MS));
