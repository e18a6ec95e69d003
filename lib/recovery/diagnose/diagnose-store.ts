// What verification and scrub say about what is stored, as findings. Pure.

import type { Cause, Evidence, Finding, Integrity, ProposedAction } from './types.ts';
import { count } from './words.ts';

export function integrity({ integrity }: Evidence): Finding[] {
  const damaged = integrity?.damagedStreams ?? [];
  const streamsOf = (...kinds: string[]): string[] => [
    ...new Set(damaged.filter(({ kind }) => kinds.includes(kind)).map(({ streamId }) => streamId)),
  ];
  const finding = (cause: Cause, action: ProposedAction, streamIds: string[], what: string): Finding[] =>
    streamIds.length === 0
      ? []
      : [
          {
            id: `${cause}:${streamIds.join(',').slice(0, 200)}`,
            cause,
            severity: cause === 'unsequenced-commits' ? 'high' : 'critical',
            confidence: 1,
            action,
            explanation: `${count(streamIds.length, 'stream')} ${what}`,
            facts: { streamIds },
          },
        ];
  return [
    ...finding(
      'data-corruption',
      'restore',
      streamsOf('hash-mismatch', 'missing-commit', 'fork', 'rewritten-history', 'directory-mismatch'),
      'hold commits that are not what was appended, or are not known as far as they were sequenced',
    ),
    ...finding('truncated-stream', 'restore', streamsOf('truncated-stream'), 'end before what the log has sequenced'),
    ...finding(
      'checkpoint-beyond-head',
      'restore',
      streamsOf('checkpoint-beyond-head'),
      'end before what consumers have resolved',
    ),
    ...finding(
      'unsequenced-commits',
      'repair-relay',
      streamsOf('unsequenced-commit'),
      'hold commits that never reached the log',
    ),
  ];
}

/** What somebody says about the store and nobody can repair from here. */
export function suspicions(seen: Integrity | undefined): Finding[] {
  const { logDamage = 0, logFindings = [], unconfirmed = [] } = seen ?? {};
  const found: Finding[] = [];
  if (logDamage + logFindings.length > 0) {
    found.push({
      id: 'log-damaged',
      cause: 'log-damaged',
      severity: 'critical',
      confidence: logDamage > 0 ? 1 : 0.9,
      action: 'inspect',
      explanation: `${count(logDamage, 'place')} of the log ${logDamage === 1 ? 'is' : 'are'} not what the relay wrote, ${count(logFindings.length, 'finding')} of the scrub about log and directory are open`,
      facts: {},
    });
  }
  if (unconfirmed.length > 0) {
    const streamIds = [...new Set(unconfirmed.map(({ streamId }) => streamId))];
    found.push({
      id: `scrub-finding-open:${streamIds.join(',').slice(0, 200)}`,
      cause: 'scrub-finding-open',
      severity: 'medium',
      confidence: 0.5,
      action: 'inspect',
      explanation: `${count(unconfirmed.length, 'finding')} of the scrub ${unconfirmed.length === 1 ? 'is' : 'are'} open that the verification does not confirm: a new look of the scrub at ${streamIds[0]} closes what is well again`,
      facts: { streamIds },
    });
  }
  return found;
}

export function effects(seen: Integrity | undefined): Finding[] {
  const damaged = new Set((seen?.damagedStreams ?? []).map(({ streamId }) => streamId));
  return (seen?.effects ?? []).flatMap(({ consumer, wrong, failed, streamIds }): Finding[] => {
    if (wrong > 0) {
      return [
        {
          id: `effect-wrong:${consumer}`,
          cause: 'effect-wrong',
          consumer,
          severity: 'critical',
          confidence: 1,
          action: 'inspect',
          explanation: `the effects of ${consumer} differ from its events in ${count(wrong, 'place')}, by its own verify()`,
          facts: { streamIds },
        },
      ];
    }
    // Events that cannot be read cannot be compared either: the damage is named already.
    if (failed === 0 || (streamIds.length > 0 && streamIds.every((streamId) => damaged.has(streamId)))) return [];
    return [
      {
        id: `effect-unknown:${consumer}`,
        cause: 'unknown',
        consumer,
        severity: 'medium',
        confidence: 0.5,
        action: 'inspect',
        explanation: `nobody can say whether the effects of ${consumer} are there: ${count(failed, 'look')} of its verify() failed`,
        facts: { streamIds },
      },
    ];
  });
}
