// `event-recovery verify`: the proof, as a table, in batches when the store is large. Exit code 1 when it finds something.

import { effectsRows } from '../../recovery/report/words.ts';
import { inParallel } from '../../recovery/verify/in-parallel.ts';
import type { Verdict } from '../../recovery/verify/types.ts';
import type { SplitVerification } from '../../recovery/verify/verification.ts';
import type { CommandContext, RegisterCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { oneLine, table } from '../output.ts';

interface VerifyOptions {
  consumer?: string[];
  prefix?: string;
  quiet?: boolean;
}

const VIOLATIONS_SHOWN = 20;
/** As in the state machine (lib/infra/constructs/recovery/verification-states.ts). */
const BATCHES_AT_ONCE = 2;

export const registerVerify: RegisterCommand = (program, run) => {
  program
    .command('verify')
    .description('re-read everything and account for every event; changes nothing')
    .option('--consumer <name...>', 'only these consumers')
    .option('--stream-prefix <prefix>', 'only these streams')
    .option('--quiet', 'also refuse events that are on their way')
    .action((options: VerifyOptions & { streamPrefix?: string }, command) =>
      run(command, async ({ deployment, output }) => {
        output.progress(
          're-reading store, log, checkpoints, dead letters and open gaps, and asking consumers about their effects ...',
        );
        const scope = {
          consumers: options.consumer,
          streamPrefix: options.streamPrefix,
          quiet: options.quiet ?? false,
        };
        const verdict = await verifyInBatches({ deployment, output }, scope);
        output.result(verdict, show);
        if (verdict.ok) return EXIT.ok;
        output.next('npx event-recovery gaps --scan');
        return EXIT.findings;
      }),
    );
};

/** The steps that the recovery's state machine goes through; a small store is verified by the first of them. */
async function verifyInBatches(
  { deployment, output }: Pick<CommandContext, 'deployment' | 'output'>,
  scope: object,
): Promise<Verdict> {
  const ask = <Answer>(step: object) => deployment.invoke<Answer>('verify-consistency', step);
  const split = await ask<Verdict | SplitVerification>({ step: 'split', ...scope });
  if (!('batches' in split)) return split;
  const { run, batches, streams } = split;
  let done = 0;
  output.progress(`${streams} streams in ${batches.length} batches ...`);
  await inParallel(batches, BATCHES_AT_ONCE, async (batch) => {
    await ask({ step: 'batch', run, batch });
    done += 1;
    output.progress(`${done} of ${batches.length} batches`);
  });
  return ask<Verdict>({ step: 'add-up', run });
}

function show(verdict: Verdict): string {
  const rows = verdict.consumers.map(({ consumer, conservation: of }) => [
    consumer,
    of.appended,
    of.resolved,
    of.skipped,
    of.discarded,
    of.parked,
    of.waiting,
    of.lagging,
    of.gap,
  ]);
  const header = ['consumer', 'appended', 'resolved', 'skipped', 'discarded', 'parked', 'waiting', 'lagging', 'gap'];
  const found = verdict.violations
    .slice(0, VIOLATIONS_SHOWN)
    .map(({ kind, consumer, streamId, version, detail }) =>
      oneLine(`  ${kind} ${[consumer, streamId, version].filter((part) => part !== undefined).join(' ')}: ${detail}`),
    );
  const headline = verdict.ok
    ? `Complete: ${verdict.events} events of ${verdict.streams} streams are accounted for.`
    : `NOT complete: ${verdict.violationCount} violations.`;
  const effects = effectsRows(verdict).map(({ consumer, words, streams, events, violations }) => [
    consumer,
    words,
    streams,
    events,
    violations,
  ]);
  const effectsTable = table(['consumer', 'effects', 'streams', 'events', 'violations'], effects);
  return [table(header, rows), '', effectsTable, '', headline, ...found].join('\n');
}
