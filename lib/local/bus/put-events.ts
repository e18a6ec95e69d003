// How EventBridge judges a PutEvents request: refused as a whole, or entry by entry. Pure.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html

/** As the SDK takes it. */
export interface PutEntry {
  EventBusName?: string;
  Source?: string;
  DetailType?: string;
  Detail?: string;
  Resources?: readonly string[];
  Time?: Date;
}

export type EntryVerdict =
  | { kind: 'taken'; source: string; detailType: string; detail: object; resources: readonly string[]; time?: Date }
  | { kind: 'refused'; code: 'InvalidArgument' | 'MalformedDetail'; message: string };

/** One verdict per entry, in their order; or why nothing of the request is taken. */
export type RequestVerdict = { kind: 'refused'; message: string } | { kind: 'judged'; entries: EntryVerdict[] };

const ENTRIES_MAX = 10;
/** All entries of one request together. */
const BYTES_MAX = 1_048_576;
const DETAIL_TYPE_MAX = 128;

export function judgePutEvents(entries: readonly PutEntry[]): RequestVerdict {
  if (entries.length === 0 || entries.length > ENTRIES_MAX) {
    return refused(
      `Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${ENTRIES_MAX}`,
    );
  }
  const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
  if (bytes > BYTES_MAX) {
    return refused(`Total size of the entries in the request is over the limit: ${bytes} > ${BYTES_MAX}`);
  }
  // "If none of the entries have each of these properties, EventBridge fails the entire request."
  if (!entries.some(isComplete)) return refused('Parameters Source, DetailType and Detail are required.');
  return { kind: 'judged', entries: entries.map(judge) };
}

const refused = (message: string): RequestVerdict => ({ kind: 'refused', message });

interface Complete extends PutEntry {
  Source: string;
  DetailType: string;
  Detail: string;
}

const isComplete = (entry: PutEntry): entry is Complete =>
  Boolean(entry.Source) && Boolean(entry.DetailType) && entry.Detail !== undefined;

function judge(entry: PutEntry): EntryVerdict {
  const invalid = (message: string): EntryVerdict => ({ kind: 'refused', code: 'InvalidArgument', message });
  if (!isComplete(entry)) return invalid('Parameters Source, DetailType and Detail are required.');
  if (entry.DetailType.length > DETAIL_TYPE_MAX) {
    return invalid(`DetailType has at most ${DETAIL_TYPE_MAX} characters, got ${entry.DetailType.length}.`);
  }
  const detail = objectIn(entry.Detail);
  if (detail === undefined) return { kind: 'refused', code: 'MalformedDetail', message: 'Detail is malformed.' };
  const { Source, DetailType, Resources = [], Time } = entry;
  return { kind: 'taken', source: Source, detailType: DetailType, detail, resources: Resources, time: Time };
}

/** "A valid JSON object": no list, no text, no number. */
function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-calculate-entry-size */
function sizeOf(entry: PutEntry): number {
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])];
  const fixed = entry.Time === undefined ? 0 : 14;
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), fixed);
}
