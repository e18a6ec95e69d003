// `event-recovery restore` plans, applies and follows restores of damaged streams. A plan changes nothing; apply asks, and needs the
// name of whoever agreed when stored items are overwritten or removed. Exit code 1 when something could not be repaired.

import { EventRecoveryError, InvalidInputError } from '../../model/errors.ts';
import type { RestoreAnswer } from '../../recovery/restore/answer.ts';
import type { IncidentsAnswer, SettledAnswer } from '../../recovery/restore/settle.ts';
import { agreed, type CommandContext, type RegisterCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine, table } from '../output.ts';

const FUNCTION = 'restore-commits';

interface PlanOptions {
  stream?: string[];
  source: string;
  to?: string;
  discardUnknownEnd?: boolean;
  searchLog?: boolean;
  reason?: string;
}

interface ApplyOptions {
  approvedBy?: string;
  reason?: string;
}

export const registerRestore: RegisterCommand = (program, run) => {
  const restore = program.command('restore').description('put damaged and missing commits back');

  restore
    .command('plan')
    .description('say what is wrong with streams and what would be changed; changes nothing')
    .option('--stream <id...>', 'streams to look at; without it, those of the open findings of the scrub')
    .option(
      '--source <source>',
      'archive, or point-in-time: a side table is restored, which takes minutes to hours',
      'archive',
    )
    .option(
      '--to <time>',
      'point-in-time: a time after the commits were appended and before the damage, for example 2026-11-25T17:00:00Z',
    )
    .option(
      '--discard-unknown-end',
      'take unreadable items at the very end, which the log does not know and which have no copy, for garbage',
    )
    .option('--search-log', 'search the log for each stream, also where the stream directory seems to fit')
    .option('--reason <text>', 'for the audit')
    .action((options: PlanOptions, command) => run(command, (context) => plan(context, options)));

  restore
    .command('apply <planId>')
    .description('do what the plan says; the same command goes on with a restore that is under way')
    .option('--approved-by <name>', 'who agreed to what is overwritten and removed')
    .option('--reason <text>', 'for the audit')
    .action((planId: string, options: ApplyOptions, command) =>
      run(command, (context) => apply(context, planId, options)),
    );

  restore
    .command('status <planId>')
    .description('how far a restore is; all changes of one stream with --stream')
    .option('--stream <id>', 'list everything about this stream')
    .action((planId: string, { stream }: { stream?: string }, command) =>
      run(command, (context) => ask(context, { action: 'status', planId, stream })),
    );

  restore
    .command('cancel <planId>')
    .description('forget a plan, or end a restore that has not written yet')
    .action((planId: string, _options, command) =>
      run(command, (context) => {
        const { requestedBy } = context;
        return ask(context, { action: 'cancel', planId, requestedBy, reason: 'event-recovery restore cancel' });
      }),
    );

  restore
    .command('incidents')
    .description('what restores have left to humans: events that were set aside, consumers ahead of their stream')
    .action((_options, command) => run(command, incidents));

  restore
    .command('settle <stream>')
    .description('close what restores have left to humans about a stream, when somebody has dealt with it')
    .requiredOption('--reason <text>', 'what was done, for the audit')
    .action((stream: string, { reason }: { reason: string }, command) =>
      run(command, (context) => settle(context, stream, reason)),
    );
};

async function ask({ deployment, output }: CommandContext, request: object): Promise<ExitCode> {
  const answer = await deployment.invoke<RestoreAnswer>(FUNCTION, request);
  output.result(answer, show);
  tellNext(output, answer);
  return exitOf(answer);
}

async function incidents({ deployment, output }: CommandContext): Promise<ExitCode> {
  const answer = await deployment.invoke<IncidentsAnswer>(FUNCTION, { action: 'incidents' });
  output.result(answer, ({ open, truncated }) =>
    [...open.map(incidentLine), `${open.length}${truncated ? ' and more' : ''} open`].join('\n'),
  );
  return answer.open.length === 0 ? EXIT.ok : EXIT.findings;
}

async function settle({ deployment, output, requestedBy }: CommandContext, stream: string, reason: string) {
  const request = { action: 'settle', stream, requestedBy, reason };
  const answer = await deployment.invoke<SettledAnswer>(FUNCTION, request);
  output.result(answer, ({ closed, open }) =>
    [...open.map(incidentLine), `${closed} closed, ${open.length} open`].join('\n'),
  );
  return answer.open.length === 0 ? EXIT.ok : EXIT.findings;
}

const incidentLine = ({ kind, streamId, version, detail }: IncidentsAnswer['open'][number]): string =>
  oneLine(`${kind} ${streamId}@${version}: ${detail}`);

async function plan(
  context: CommandContext,
  { stream, source, to, discardUnknownEnd, searchLog, reason }: PlanOptions,
): Promise<ExitCode> {
  const { deployment, output, requestedBy } = context;
  const restoreTo = to === undefined ? undefined : Date.parse(to);
  if (Number.isNaN(restoreTo)) {
    throw new InvalidInputError('INVALID_TIME', {
      what: '--to',
      got: to,
      allowed: 'a time such as 2026-11-25T17:00:00Z',
      remedy: 'write it with its offset, or with Z for UTC',
    });
  }
  const request = {
    action: 'plan',
    streams: stream,
    source,
    restoreTo,
    discardUnknownEnd,
    searchLog,
    requestedBy,
    reason,
  };
  const answer = await deployment.invoke<RestoreAnswer>(FUNCTION, request);
  output.result(answer, show);
  tellNext(output, answer);
  return answer.result === 'nothing' && (answer.refused ?? []).length === 0 ? EXIT.ok : EXIT.findings;
}

async function apply(context: CommandContext, planId: string, { approvedBy, reason }: ApplyOptions): Promise<ExitCode> {
  const { deployment, output, requestedBy } = context;
  const planned = await deployment.invoke<RestoreAnswer>(FUNCTION, { action: 'status', planId });
  if (planned.result === 'planned') {
    const { streams, inserts, overwrites, removals } = planned.totals;
    const what = `${inserts} to insert, ${overwrites} to overwrite, ${removals} to remove in ${streams} streams`;
    if (!(await agreed(context, `Restore (${what})?`))) {
      throw new EventRecoveryError('CONFIRMATION_REQUIRED', `${what}: nothing was done; remedy: add --yes`);
    }
  }
  const request = { action: 'apply', planId, approvedBy, requestedBy, reason };
  const answer = await deployment.invoke<RestoreAnswer>(FUNCTION, request);
  output.result(answer, show);
  tellNext(output, answer);
  return exitOf(answer);
}

function exitOf({ result, totals }: RestoreAnswer): ExitCode {
  const open = totals.notFound + totals.stale + totals.failed + totals.conflicting + totals.checkpointsBeyond;
  return result === 'failed' || open > 0 ? EXIT.findings : EXIT.ok;
}

function tellNext(
  output: CommandContext['output'],
  { result, planId, source, needsApproval, totals }: RestoreAnswer,
): void {
  if (result === 'planned')
    output.next(`npx event-recovery restore apply ${planId}${needsApproval ? ' --approved-by <name>' : ''}`);
  if (result === 'fetching' || result === 'writing' || result === 'cleaning')
    output.next(`npx event-recovery restore status ${planId}`);
  if (result !== 'done') return;
  if (totals.failed > 0) output.next(`npx event-recovery restore apply ${planId}`);
  else if (totals.stale > 0) output.next('npx event-recovery restore plan');
  else if (totals.notFound > 0)
    output.next(
      `npx event-recovery restore plan --source point-in-time${source === 'archive' ? '' : ' --to <another time>'}`,
    );
}

const SHOWN = 50;
const isCut = ({ listed, totals }: RestoreAnswer, shown: number): boolean =>
  listed.length < totals.streams
    ? listed.length !== 1
    : listed.reduce((sum, { changesInAll }) => sum + changesInAll, 0) > shown;

function show(answer: RestoreAnswer): string {
  const refused = (answer.refused ?? []).map(({ streamId, message }) =>
    oneLine(`${streamId} cannot be planned: ${message}`),
  );
  if (answer.result === 'nothing') return [...refused, 'nothing that a restore can repair'].join('\n');
  const { totals } = answer;
  const rows = answer.listed
    .slice(0, SHOWN)
    .map((stream) => [
      stream.streamId,
      stream.status,
      stream.inserts,
      stream.changesInAll,
      stream.forksInAll || stream.changes.filter(({ isFork }) => isFork).length,
      stream.unsequenced,
      stream.written,
    ]);
  const [only] = answer.listed.length === 1 ? answer.listed : [];
  const changes = answer.listed
    .flatMap(({ streamId, changes }) => changes.map((change) => ({ streamId, ...change })))
    // One stream alone is shown whole: somebody has to agree to it.
    .slice(0, only === undefined ? SHOWN : undefined)
    .map(({ streamId, version, action, seenHash = 'no hash', expectedHash, isFork }) =>
      oneLine(
        `${action} ${streamId}@${version}: found ${seenHash.slice(0, 16)}${expectedHash ? `, the log has ${expectedHash}` : ''}${isFork ? '; its events are appended again' : ''}`,
      ),
    );
  const beyond = answer.listed.flatMap(({ streamId, checkpointsBeyond = [], end }) =>
    checkpointsBeyond.map(({ consumer, version }) =>
      oneLine(`${consumer} has resolved ${streamId} up to ${version}, the stream ends at ${end ?? '?'}`),
    ),
  );
  return [
    table(['stream', 'status', 'missing', 'changes', 'appended again', 'not in the log', 'written'], rows),
    ...answer.listed.flatMap(({ streamId, directory }) =>
      directory === undefined
        ? []
        : [oneLine(`directory of ${streamId}: version ${directory.version}, position ${directory.position}`)],
    ),
    ...changes,
    ...(isCut(answer, changes.length)
      ? [`more: npx event-recovery restore status ${answer.planId} --stream <id>`]
      : []),
    ...refused,
    ...(answer.moreDamaged ? ['more streams have open findings: plan again when this plan is applied'] : []),
    ...beyond,
    ...answer.listed.flatMap(({ streamId, note }) => (note === undefined ? [] : [oneLine(`${streamId}: ${note}`)])),
    ...(answer.note === undefined ? [] : [oneLine(answer.note)]),
    `${answer.planId}: ${answer.result}; ${totals.done} of ${totals.streams} streams repaired, ${totals.notFound} without a copy, ${totals.stale} changed since, ${totals.failed} failed, ${totals.written} items written`,
  ].join('\n');
}
