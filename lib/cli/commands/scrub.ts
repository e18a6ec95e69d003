// `event-recovery scrub`: where the patrol stands and which findings are open; with --stream a look at single streams now,
// with --rotate a whole rotation. Exit code 1 when something is not what was appended.

import { EventRecoveryError } from '../../model/errors.ts';
import type { Examination } from '../../recovery/scrub/examine-streams.ts';
import type { LastScrub } from '../../recovery/scrub/request.ts';
import type { ScrubOutcome, ScrubResult } from '../../recovery/scrub/scrub.ts';
import type { Damage } from '../../recovery/scrub/types.ts';
import type { CommandContext, RegisterCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine, table } from '../output.ts';

interface ScrubOptions {
  stream?: string[];
  rotate?: boolean;
}

const FINDINGS_SHOWN = 20;
/** An invocation works for up to 4.5 minutes: more than a month. */
const CALLS_MAX = 10_000;

export const registerScrub: RegisterCommand = (program, run) => {
  program
    .command('scrub')
    .description('what is stored and is not what was appended')
    .option('--stream <id...>', 'look at these streams now')
    .option('--rotate', 'look at everything now, and follow it to the end')
    .action((options: ScrubOptions, command) =>
      run(command, (context) => {
        if (options.stream) return examine(context, options.stream);
        return options.rotate ? rotate(context) : showLast(context);
      }),
    );
};

async function examine({ deployment, output, requestedBy }: CommandContext, streamIds: string[]): Promise<ExitCode> {
  output.progress(`reading ${streamIds.length} streams ...`);
  const input = { streamIds, requestedBy, reason: 'event-recovery scrub --stream' };
  const answer = await deployment.invoke<Examination>('scrub-events', input);
  output.result(answer, showExamined);
  if (answer.notLookedAt.length > 0) {
    output.next(`npx event-recovery scrub --stream ${answer.notLookedAt.join(' ')}`);
    return EXIT.findings;
  }
  return answer.streams.some(({ damages }) => damages.length > 0) ? EXIT.findings : EXIT.ok;
}

async function rotate(context: CommandContext): Promise<ExitCode> {
  const { deployment, output, requestedBy } = context;
  const asked = { requestedBy, reason: 'event-recovery scrub --rotate' };
  for (let call = 0; call < CALLS_MAX; call += 1) {
    const answer = await deployment.invoke<ScrubOutcome>('scrub-events', { rotate: call === 0, ...asked });
    if (answer.kind === 'another-scrub-runs') throw held(answer.until);
    const { state } = answer.result;
    if (state.pass === 'idle') return showLast(context);
    output.progress(progressOf(answer.result));
  }
  return showLast(context);
}

const held = (until: number): EventRecoveryError =>
  new EventRecoveryError(
    'LEASE_HELD',
    `another scrub is at work until ${new Date(until).toISOString()} at the latest, and goes on by itself; remedy: npx event-recovery scrub`,
    { facts: { until } },
  );

const progressOf = ({ state: { pass, counts } }: ScrubResult): string =>
  `${pass === 'events' ? 'Events' : 'Log'} table: ${counts.items} commits of ${counts.streams} streams, ${counts.pages} pages, ${Math.round(counts.units)} read units ...`;

async function showLast({ deployment, output }: CommandContext): Promise<ExitCode> {
  const answer = await deployment.invoke<LastScrub>('scrub-events', { last: true });
  output.result(answer, ({ state, findings, open }) => {
    const { last, pass, rotation } = state;
    const done = last
      ? `Rotation ${pass === 'idle' ? rotation : rotation - 1} ended at ${time(last.endedAt)}: ${last.counts.items} commits of ${last.counts.streams} streams and ${last.counts.pages} pages of the log were read.`
      : 'No rotation has finished yet.';
    const now = pass === 'idle' ? [] : [`Rotation ${rotation} is under way since ${time(state.startedAt)}.`];
    const verdict = open === 0 ? 'No damage is open.' : `${open} damages are open:`;
    return [done, ...now, verdict, ...(open === 0 ? [] : ['', showDamages(findings)])].join('\n');
  });
  const [first] = answer.findings;
  if (first === undefined) return EXIT.ok;
  output.next(`npx event-recovery scrub --stream ${oneLine(first.streamId)}`);
  return EXIT.findings;
}

const time = (ms: number): string => new Date(ms).toISOString();

function showDamages(damages: readonly Damage[]): string {
  const rows = damages
    .slice(0, FINDINGS_SHOWN)
    .map(({ kind, streamId, from, to, detail }) => [
      kind,
      streamId,
      from === to ? String(from) : `${from}-${to}`,
      detail,
    ]);
  const more =
    damages.length > FINDINGS_SHOWN ? [`... and ${damages.length - FINDINGS_SHOWN} more (--json shows all)`] : [];
  return [table(['kind', 'stream', 'versions', 'what'], rows), ...more].join('\n');
}

function showExamined({ streams, closed }: Examination): string {
  const rows = streams.map(({ streamId, version, commits, entries, damages }) => [
    streamId,
    version,
    commits,
    entries,
    damages.length,
  ]);
  const damages = streams.flatMap((each) => each.damages);
  const handedOver = streams.filter((each) => each.handedOver).length;
  return [
    table(['stream', 'version', 'commits', 'log entries', 'damages'], rows),
    ...(damages.length > 0 ? ['', showDamages(damages)] : []),
    ...(closed > 0 ? ['', `${closed} findings are repaired.`] : []),
    ...(handedOver > 0 ? ['', `The relay was woken up for ${handedOver} streams.`] : []),
  ].join('\n');
}
