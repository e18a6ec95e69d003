// Looks copies up in the archive, file by file, in the exports first whose time fits; ends as soon as every stream has what it
// needs. The order of the exports is fixed when the search begins, and what was found is kept after each file: a search of hours
// goes on where it was, whatever happens to the streams meanwhile.

import { type Objects, readWhole } from '../archive/objects.ts';
import { RESTORE_PREFIX } from '../archive/places.ts';
import type { ArchivedExport, ArchiveRows } from '../archive/port.ts';
import { dataFilesOf, type ImageKey, imagesIn } from '../archive/read-export.ts';
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
/** Time kept for what is written after a file was read. */
const RESERVE_MS = 5_000;

export type Searched =
  /** Everything was found, or everything was read. */
  | { kind: 'over'; isEmpty: boolean }
  /** The time is over, go on later. */
  | { kind: 'paused' }
  /** Somebody else has changed the restore. */
  | { kind: 'overtaken' };

/**
 * @param save False: somebody else has changed the restore
 * @throws EventRecoveryError `ARCHIVE_FILE_MISSING`, `ARCHIVE_FILE_ALTERED`
 */
export async function searchArchive(
  { objects, archive }: SearchDeps,
  row: Pick<RestoreRow, 'id' | 'search' | 'copies'>,
  surveys: readonly Survey[],
  remainingMs: () => number,
  save: (progress: Pick<RestoreRow, 'search' | 'copies'>) => Promise<boolean>,
): Promise<Searched> {
  const kept = row.search === undefined ? undefined : await keptOrder(objects, row.id);
  const order = kept ?? (await exportsInOrder(archive, surveys));
  let { exports, files } = (kept && row.search) ?? { exports: 0, files: 0 };
  let found = row.copies;
  if (kept === undefined) {
    await objects.write(orderKey(row.id), JSON.stringify(order));
    if (!(await save({ search: { exports, files }, copies: found }))) return { kind: 'overtaken' };
  }
  const copies = await foundCopies(objects, row.id, found);
  const isWanted = wantedImages(surveys);
  let isComplete = await hasEverything(surveys, copies);
  for (; !isComplete && exports < order.length; exports += 1) {
    const dataFiles = await dataFilesOf(objects, order[exports] as string);
    for (; !isComplete && files < dataFiles.length; ) {
      if (remainingMs() < RESERVE_MS) return { kind: 'paused' };
      const images = await imagesIn(objects, dataFiles[files] as (typeof dataFiles)[number], isWanted);
      if (images.length > 0) {
        await copies.add(found, distinct(images));
        found += 1;
        isComplete = await hasEverything(surveys, copies);
      }
      files += 1;
      if (!(await save({ search: { exports, files }, copies: found }))) return { kind: 'overtaken' };
    }
    files = 0;
  }
  return { kind: 'over', isEmpty: order.length === 0 };
}

const orderKey = (restoreId: string): string => `${RESTORE_PREFIX}/${restoreId}/exports.json`;

/** Keys of the manifests. Undefined: the object is gone, the search begins again. */
async function keptOrder(objects: Objects, restoreId: string): Promise<string[] | undefined> {
  const body = await readWhole(objects, orderKey(restoreId));
  return body && (JSON.parse(body.toString('utf8')) as string[]);
}

const distinct = (images: readonly RawItem[]): RawItem[] => [
  ...new Map(images.map((image) => [digestOf(image), image])).values(),
];

async function hasEverything(surveys: readonly Survey[], copies: FoundCopies): Promise<boolean> {
  for (const survey of surveys) {
    if (chooseCopies(survey, await copies.of(survey)).notFound.length > 0) return false;
  }
  return true;
}

function wantedImages(surveys: readonly Survey[]): (key: ImageKey) => boolean {
  const ranges = new Map(surveys.map(({ streamId, slots }) => [streamId as string, wantedVersions(slots)]));
  return ({ streamId, version }) => (ranges.get(streamId) ?? []).some(([from, to]) => version >= from && version <= to);
}

/** Keys of the manifests. */
async function exportsInOrder(archive: Pick<ArchiveRows, 'exports'>, surveys: readonly Survey[]): Promise<string[]> {
  const exports: ArchivedExport[] = [];
  for await (const one of archive.exports()) exports.push(one);
  const times = surveys.flatMap(({ slots }) =>
    slots.flatMap((slot) => (slot.kind === 'known' ? [slot.recordedAt] : [])),
  );
  return exports
    .sort((a, b) => Number(fits(b, times)) - Number(fits(a, times)) || b.to - a.to)
    .map(({ manifestKey }) => manifestKey);
}

/** A full export holds everything until its time, an incremental one what was written in its span. */
const fits = ({ kind, from, to }: ArchivedExport, times: readonly number[]): boolean =>
  times.some((time) => time <= to + CLOCK_ERROR_MS && (kind === 'full' || time >= from - CLOCK_ERROR_MS));
