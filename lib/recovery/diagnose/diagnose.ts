// From evidence to findings, pure. Several problems at once give several findings, in the order in which they are safe to
// repair: first what is stored, then how it is sequenced, then how it is delivered, then the consumers, then dead letters.

import { consumers } from './diagnose-consumer.ts';
import { effects, integrity, suspicions } from './diagnose-store.ts';
import { bus, lastStops, relay, tables, unanswered } from './diagnose-system.ts';
import type { Cause, Evidence, Finding } from './types.ts';

const RULES: readonly ((evidence: Evidence) => Finding[])[] = [
  integrity,
  ({ integrity }) => suspicions(integrity),
  ({ integrity }) => effects(integrity),
  relay,
  bus,
  tables,
  consumers,
  lastStops,
  unanswered,
];

/** Where each cause stands in a safe order of repair. */
const ORDER: readonly Cause[] = [
  'data-corruption',
  'truncated-stream',
  'checkpoint-beyond-head',
  'log-damaged',
  'relay-down',
  'unsequenced-commits',
  'relay-behind',
  'relay-failing',
  'bus-unreachable',
  'broker-down',
  'consumer-down',
  'throttled',
  'consumer-failing',
  'delivery-lost',
  'behind',
  'consumer-slow',
  'poison-message',
  'dead-letters-waiting',
  'backfill-waiting',
  'effect-wrong',
  'scrub-finding-open',
  'unknown',
];

/**
 * @example
 * const [first] = diagnose(evidence);
 * if (first) console.log(first.explanation, first.action);
 */
export function diagnose(evidence: Evidence): Finding[] {
  const findings = RULES.flatMap((rule) => rule(evidence));
  return findings.sort((a, b) => ORDER.indexOf(a.cause) - ORDER.indexOf(b.cause) || a.id.localeCompare(b.id));
}
