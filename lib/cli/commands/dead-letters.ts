// `event-recovery dead-letters` lists what consumers gave up on; `event-recovery redrive` gives it back (a dry run unless it is
// told to apply), follows, stops and resumes runs. Exit code 1 when something waits, or a run failed.

import type { Command } from 'commander';
import { EventRecoveryError } from '../../model/errors.ts';
import type { RedriveAnswer } from '../../recovery/redrive/answer.ts';
import { agreed, type CommandContext, type RegisterCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine, table } from '../output.ts';

interface Filters {
  id?: string;
  event?: string;
  consumer?: string;
  type?: string;
  fingerprint?: string;
}

interface RedriveOptions extends Filters {
  apply?: boolean;
  discard?: boolean;
  canary: boolean;
  rate?: string;
  force?: boolean;
  reason?: string;
}

const FUNCTION = 'redrive-dead-letters';

const withFilters = (command: Command): Command =>
  command
    .option('--id <id>', 'one dead letter')
    .option('--event <id>', 'by event id')
    .option('--consumer <name>', 'of one consumer')
    .option('--type <type>', 'by event type')
    .option('--fingerprint <fingerprint>', 'one group of equal errors');

const selectionOf = ({ id, event, consumer, type, fingerprint }: Filters) => ({
  id,
  eventId: event,
  consumer,
  eventType: type,
  fingerprint,
});

const flagsOf = (filters: Filters): string =>
  Object.entries(filters)
    .filter(([name, value]) => ['id', 'event', 'consumer', 'type', 'fingerprint'].includes(name) && value !== undefined)
    .map(([name, value]) => ` --${name} ${JSON.stringify(value)}`)
    .join('');

export const registerDeadLetters: RegisterCommand = (program, run) => {
  withFilters(program.command('dead-letters'))
    .description('what consumers gave up on and waits for a decision, in the order in which it would be given back')
    .action((options: Filters, command) =>
      run(command, async (context) => {
        // Everything: whatever failed since 1970. The operation refuses a selection that says nothing.
        const selection = { ...selectionOf(options), failedFrom: 0 };
        const answer = await context.deployment.invoke<RedriveAnswer>(FUNCTION, { action: 'list', selection });
        context.output.result(answer, show);
        if (answer.count === 0) return EXIT.ok;
        context.output.next(`npx event-recovery redrive${flagsOf(options) || ' --consumer <name>'}`);
        return EXIT.findings;
      }),
    );

  const redrive = withFilters(program.command('redrive'))
    .description('give dead letters back to their consumer, in order; without --apply only says what would be done')
    .option('--apply', 'do it')
    .option('--discard', 'give them up for good instead; needs --reason')
    .option('--no-canary', 'do not wait for the first stream before the rest')
    .option('--rate <number>', 'dead letters per second', '10')
    .option('--force', 'also those whose rounds are used up; needs --reason')
    .option('--reason <text>', 'for the audit')
    .action((options: RedriveOptions, command) => run(command, (context) => giveBack(context, options)));

  redrive
    .command('start <planId>')
    .description('do what a plan says')
    .option('--replan', 'when the dead letters are not those of the plan any more: plan the same again')
    .option('--reason <text>', 'for the audit')
    .action((planId: string, { replan, reason }: { replan?: boolean; reason?: string }, command) =>
      run(command, async (context) => {
        const { deployment, requestedBy, output } = context;
        const request = { action: 'start', planId, replan, requestedBy, reason };
        // With --replan a stale plan is made again: what is agreed to is the new one.
        const would = await deployment.invoke<RedriveAnswer>(FUNCTION, { ...request, dryRun: true });
        if (would.plan === undefined) {
          output.result(would, show);
          return exitOf(would);
        }
        await confirm(context, would);
        return begin(context, { planId: would.plan.id, reason, replan });
      }),
    );

  for (const action of ['status', 'stop', 'resume'] as const) {
    redrive
      .command(`${action} <runId>`)
      .description(`${action} of a run`)
      .action((runId: string, _options, command) =>
        run(command, async ({ deployment, output, requestedBy }) => {
          const by = action === 'status' ? {} : { requestedBy, reason: 'event-recovery redrive' };
          const answer = await deployment.invoke<RedriveAnswer>(FUNCTION, { action, runId, ...by });
          output.result(answer, show);
          return exitOf(answer);
        }),
      );
  }
};

async function giveBack(context: CommandContext, options: RedriveOptions): Promise<ExitCode> {
  const { deployment, output, requestedBy } = context;
  const request = {
    action: options.discard ? 'discard' : 'redrive',
    selection: selectionOf(options),
    ratePerSecond: Number(options.rate),
    ...(!options.discard && { canary: options.canary, force: options.force ?? false }),
    requestedBy,
    reason: options.reason,
  };
  const would = await deployment.invoke<RedriveAnswer>(FUNCTION, { ...request, dryRun: true });
  if (!options.apply || would.count === 0) {
    output.result(would, show);
    if (would.plan !== undefined) output.next(`npx event-recovery redrive start ${would.plan.id}`);
    return EXIT.ok;
  }
  await confirm(context, would);
  return begin(context, { planId: would.plan?.id, reason: options.reason });
}

/** What was agreed to, or refused when it is not so any more. */
async function begin(
  { deployment, output, requestedBy }: CommandContext,
  asked: { planId?: string; reason?: string; replan?: boolean },
): Promise<ExitCode> {
  const request = { action: 'start', dryRun: false, ...asked, requestedBy };
  const answer = await deployment.invoke<RedriveAnswer>(FUNCTION, request);
  output.result(answer, show);
  const [begun] = answer.runs;
  if (begun !== undefined) output.next(`npx event-recovery redrive status ${begun.id}`);
  return exitOf(answer);
}

async function confirm(context: CommandContext, { count, streams, plan }: RedriveAnswer): Promise<void> {
  const repeats = plan?.totals.expectedRepeats ?? 0;
  const what = `${count} dead letters in ${streams} streams${repeats > 0 ? `, ${repeats} events once more` : ''}`;
  if (await agreed(context, `${plan?.mode === 'discard' ? 'Discard' : 'Give back'} ${what}?`)) return;
  throw new EventRecoveryError('CONFIRMATION_REQUIRED', `${what}: nothing was done; remedy: add --yes`);
}

const exitOf = ({ result }: RedriveAnswer): ExitCode => (result === 'failed' ? EXIT.findings : EXIT.ok);

const SHOWN = 50;

function show(answer: RedriveAnswer): string {
  const rows = answer.listed
    .slice(0, SHOWN)
    .map(({ consumer, streamId, version, eventType, rounds, how, id }) => [
      consumer,
      streamId,
      version,
      eventType,
      rounds,
      how,
      id,
    ]);
  const runs = answer.runs.map(({ id, status, done, changed, note }) =>
    oneLine(`run ${id}: ${status}, ${done} given back, ${changed} changed by others${note ? ` (${note})` : ''}`),
  );
  const more = answer.count > rows.length && rows.length > 0 ? [`... and ${answer.count - rows.length} more`] : [];
  const exhausted = answer.exhausted > 0 ? [`${answer.exhausted} more have used up their rounds (--force)`] : [];
  return [
    ...(rows.length > 0 ? [table(['consumer', 'stream', 'version', 'type', 'rounds', 'how', 'id'], rows)] : []),
    ...more,
    ...runs,
    ...exhausted,
    ...planLines(answer),
    `${answer.count} dead letters in ${answer.streams} streams${answer.truncated ? ' (and more than one run takes)' : ''}`,
  ].join('\n');
}

function planLines({ plan }: RedriveAnswer): string[] {
  if (plan === undefined) return [];
  const { events, wakeUps, readUnits, writeUnits, etaSeconds } = plan.totals;
  return [
    oneLine(`plan ${plan.id}: ${plan.mode}, ${events} events`),
    ...plan.blastRadius.map((line) => oneLine(`  ${line}`)),
    `  ${wakeUps} messages, ${readUnits} read and ${writeUnits} write units, ${etaSeconds} s at ${plan.request.ratePerSecond} dead letters/s`,
  ];
}
