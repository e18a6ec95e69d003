// `event-recovery recover`: starts the recovery's state machine, follows it to its end and prints its report; without an action it
// proposes and changes nothing. `approve` and `refuse` answer a recovery that asks. Exit code 1 when something is wrong or left.

import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Command } from 'commander';
import { EventRecoveryError, InvalidInputError, isEventRecoveryError } from '../../model/errors.ts';
import { createWorld } from '../../platform/world.ts';
import type { Decision } from '../../recovery/approval/approvals.ts';
import type { Decided } from '../../recovery/approval/decide-approval.ts';
import { checkRecoveryRequest, isReadOnly } from '../../recovery/recover/input.ts';
import { type RecoveryRun, type RunRecoveryDeps, runRecovery } from '../../recovery/recover/run-recovery.ts';
import { agreed, type CommandContext, type RegisterCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine } from '../output.ts';
import { showReport } from './recovery-report.ts';

interface RecoverOptions {
  consumer?: string[];
  action?: string[];
  type?: string;
  fingerprint?: string;
  event?: string;
  replay?: string;
  stream?: string[];
  grace?: string;
  dryRun?: boolean;
  reason?: string;
}

export interface RecoverClients {
  sfn(): RunRecoveryDeps['sfn'];
  s3(): RunRecoveryDeps['s3'];
}

const AWS: RecoverClients = { sfn: () => new SFNClient(), s3: () => new S3Client({ forcePathStyle: isLocal() }) };
/** An endpoint of one's own, whose name cannot carry a bucket as its first label. */
const isLocal = (): boolean => (process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL) !== undefined;

export const createRecoverCommand =
  (clients: RecoverClients = AWS): RegisterCommand =>
  (program, run) => {
    program
      .command('recover')
      .description('diagnose, repair, verify and report; without --action it proposes and changes nothing')
      .option('--consumer <name...>', 'only these consumers')
      .option('--action <name...>', 'repair (whatever is found), restore, replay, resume, fill-gaps, redrive, verify')
      .option('--type <type>', 'redrive: only dead letters of this event type')
      .option('--fingerprint <fingerprint>', 'redrive: only this group of equal errors')
      .option('--event <id>', 'redrive: only this event')
      .option('--replay <json>', 'replay: what, as docs/operations/replay.md has it')
      .option('--stream <id...>', 'restore: only these streams')
      .option('--grace <seconds>', 'events younger than this are no gap (default 60)')
      .option('--dry-run', 'say what would be done')
      .option('--reason <text>', 'for the report and the audit')
      .action((options: RecoverOptions, command: Command) =>
        run(command, (context) => recover(context, clients, options)),
      );
    for (const decision of ['approve', 'refuse'] as const) {
      program
        .command(`${decision} <recovery>`)
        .description(`${decision} what a recovery asks to overwrite`)
        .option('--question <id>', 'what is answered, from the message (default: what it asks now)')
        .option('--reason <text>', 'for the audit')
        .action((id: string, options: { question?: string; reason?: string }, command: Command) =>
          run(command, (context) => decide(context, decision, id, options)),
        );
    }
  };

async function recover(context: CommandContext, clients: RecoverClients, options: RecoverOptions): Promise<ExitCode> {
  const { deployment, output, requestedBy } = context;
  const input = inputOf(options, requestedBy);
  const request = checkRecoveryRequest(input);
  if (!isReadOnly(request) && !(await agreed(context, `Run ${request.actions.join(', ')}?`))) {
    output.progress('nothing was changed; say --yes, or look first with --dry-run');
    return EXIT.refused;
  }
  const deps: RunRecoveryDeps = {
    sfn: clients.sfn(),
    s3: clients.s3(),
    stateMachineArn: await deployment.value('recovery-state-machine-arn'),
    bucket: await deployment.value('archive-bucket-name'),
    world: createWorld(),
  };
  const id = `cli-${deps.world.ids.next()}`;
  const done = await runRecovery(deps, input, {
    id,
    onStarted: (executionArn) => output.progress(`started ${executionArn}`),
    onState: (name) => output.progress(name === 'AskApproval' ? waits(id) : name),
  }).catch(told);
  output.result(shortOf(done, deps.bucket), () => oneLines(showReport(done, deps.bucket)));
  for (const next of done.report.nextCommands) output.next(next);
  return EXITS[done.result](done);
}

const waits = (id: string): string =>
  `AskApproval: it waits until somebody answers: npx event-recovery approve ${id} (or refuse)`;

const oneLines = (lines: readonly string[]): string => lines.map(oneLine).join('\n');

const shortOf = ({ id, executionArn, status, result, key, report }: RecoveryRun, bucket: string) => ({
  id,
  executionArn,
  status,
  result,
  location: `s3://${bucket}/${key}`,
  report,
});

const EXITS: Readonly<Record<RecoveryRun['result'], (run: RecoveryRun) => ExitCode>> = {
  recovered: () => EXIT.ok,
  'nothing-to-do': () => EXIT.ok,
  proposed: ({ report }) => (report.findings.length === 0 ? EXIT.ok : EXIT.findings),
  incomplete: () => EXIT.findings,
  failed: () => EXIT.findings,
  refused: () => EXIT.refused,
};

function inputOf(options: RecoverOptions, requestedBy: string): Record<string, unknown> {
  const { consumer, action, type, fingerprint, event, replay, stream, grace, dryRun, reason } = options;
  const isRedrive = action?.includes('redrive') ?? false;
  const filters = { consumer: consumer?.[0], eventType: type, fingerprint, eventId: event };
  const selection = Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined));
  const isFiltered = type !== undefined || fingerprint !== undefined || event !== undefined;
  return {
    ...(action && { actions: action }),
    ...(consumer && { consumers: consumer }),
    ...((isRedrive || isFiltered) && { selection }),
    ...(replay !== undefined && { replay: jsonOf(replay) }),
    ...(stream && { restore: { streams: stream } }),
    ...(grace !== undefined && { graceSeconds: Number(grace) }),
    ...(dryRun && { dryRun }),
    ...(reason !== undefined && { reason }),
    requestedBy,
  };
}

/** @throws InvalidInputError `INVALID_INPUT` */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidInputError('INVALID_INPUT', {
      what: '--replay',
      got: text,
      allowed: 'JSON',
      remedy: `put it into single quotes: '{ "mode": "resume", ... }'`,
    });
  }
}

/** A recovery without a report: somebody else is at work, or the input was refused after all. */
function told(error: unknown): never {
  if (isEventRecoveryError(error) && error.facts.error === 'AlreadyRecovering') {
    throw new EventRecoveryError('CONSUMER_BEING_RECOVERED', error.message, { facts: error.facts });
  }
  throw error;
}

async function decide(
  { deployment, output, requestedBy }: CommandContext,
  decision: Decision,
  id: string,
  answer: { question?: string; reason?: string },
): Promise<ExitCode> {
  const input = { decision, id, requestedBy, ...answer };
  const decided = await deployment.invoke<Decided>('decide-approval', input);
  output.result(decided, ({ what }) => oneLine(`${decision} ${id}: ${what.join('; ')}`));
  return EXIT.ok;
}

export const registerRecover = createRecoverCommand();
