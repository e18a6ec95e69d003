// The sentences and the rows that both renderings share.

import type { Conservation, EffectsVerdict, Verdict } from '../verify/types.ts';
import type { RecoveryReport } from './types.ts';

export const HEADLINES: Readonly<Record<RecoveryReport['result'], string>> = {
  recovered: 'Recovered and proved complete',
  'nothing-to-do': 'Nothing to repair',
  proposed: 'Dry run: this is what would be done',
  incomplete: 'Not complete: something is left, or does not add up',
  refused: 'Refused: nothing was changed',
  failed: 'Failed: see the steps',
};

export const BOXES: readonly [keyof Conservation, string][] = [
  ['appended', 'appended'],
  ['resolved', 'resolved'],
  ['skipped', 'skipped'],
  ['discarded', 'discarded'],
  ['parked', 'parked'],
  ['waiting', 'waiting behind parked'],
  ['lagging', 'lagging'],
  ['gap', 'gap'],
];

/** `1.2 s`, `3 min 5 s`, `2 h 4 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${(ms / 1_000).toFixed(1)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

export const instant = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').replace('Z', ' UTC');

export interface ConservationRow {
  consumer: string;
  before?: Conservation;
  after?: Conservation;
}

export function conservationRows(before: Verdict | undefined, after: Verdict | undefined): ConservationRow[] {
  const of = (verdict: Verdict | undefined, name: string) =>
    verdict?.consumers.find(({ consumer }) => consumer === name)?.conservation;
  const names = new Set([...(before?.consumers ?? []), ...(after?.consumers ?? [])].map(({ consumer }) => consumer));
  return [...names].map((consumer) => ({ consumer, before: of(before, consumer), after: of(after, consumer) }));
}

const EFFECT_WORDS: Readonly<Record<EffectsVerdict['status'], string>> = {
  verified: 'verified',
  violated: 'WRONG',
  failed: 'FAILED: it could not say',
  'not-verified': 'effect not verified: the consumer defines no verify',
};

export interface EffectsRow extends Omit<EffectsVerdict, 'status'> {
  consumer: string;
  status: EffectsVerdict['status'];
  words: string;
}

/** Of the last verification; none when a report of an older version is shown. */
export const effectsRows = (verdict: Verdict | undefined): EffectsRow[] =>
  (verdict?.consumers ?? []).flatMap(({ consumer, effects }) =>
    effects === undefined ? [] : [{ consumer, ...effects, words: effectWords(effects) }],
  );

export function effectWords({ status, unsettled }: Pick<EffectsVerdict, 'status' | 'unsettled'>): string {
  const moving = unsettled > 0 ? `; ${unsettled} streams moved at every look: verify again when it is quiet` : '';
  return `${EFFECT_WORDS[status]}${moving}`;
}

/** The number as it is now, with what it was before when that differs. */
export function beforeAfter(box: keyof Conservation, { before, after }: ConservationRow): string {
  const now = (after ?? before)?.[box] ?? 0;
  return before !== undefined && after !== undefined && before[box] !== now ? `${before[box]} → ${now}` : String(now);
}
