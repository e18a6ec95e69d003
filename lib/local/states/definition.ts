// A state machine's definition as the local interpreter can run it: the check that it uses nothing the interpreter would
// silently ignore, and the tasks and waits in it, at any depth. Pure.

import { EventRecoveryError } from '../../model/errors.ts';

export interface State {
  Type: string;
  Resource?: string;
  Seconds?: number;
  TimeoutSeconds?: number;
  QueryLanguage?: string;
  Branches?: Definition[];
  ItemProcessor?: Definition & { ProcessorConfig?: { Mode?: string } };
  Iterator?: Definition;
  [field: string]: unknown;
}

export interface Definition {
  StartAt: string;
  States: Record<string, State>;
  QueryLanguage?: string;
  TimeoutSeconds?: number;
}

export interface NamedState extends State {
  name: string;
}

/** Accepted by the interpreter and without effect there: running on would give wrong results. */
const IGNORED_FIELDS = [
  'Assign',
  'Output',
  'Arguments',
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'ToleratedFailurePercentage',
  'ToleratedFailureCount',
];

/** Every state, those inside Map and Parallel too. */
export function statesOf(definition: Definition): NamedState[] {
  return Object.entries(definition.States).flatMap(([name, state]) => [
    { ...state, name },
    ...[state.ItemProcessor, state.Iterator, ...(state.Branches ?? [])].flatMap((inner) =>
      inner ? statesOf(inner) : [],
    ),
  ]);
}

/** @throws EventRecoveryError `LOCAL_UNSUPPORTED_STATE` with the state and the field */
export function checkDefinition(definition: Definition, machine: string): void {
  if (definition.QueryLanguage === 'JSONata') throw unsupported(machine, 'the definition', 'QueryLanguage JSONata');
  const names = new Set<string>();
  for (const state of statesOf(definition)) {
    const ignored = IGNORED_FIELDS.filter((field) => field in state);
    if (state.QueryLanguage === 'JSONata') ignored.push('QueryLanguage JSONata');
    if (ignored.length > 0) throw unsupported(machine, state.name, ignored.join(', '));
    if (state.Type === 'Task' && kindOf(state.Resource) === undefined) {
      throw unsupported(machine, state.name, `Resource ${state.Resource}`);
    }
    // The interpreter finds a task's handler by the state's name alone.
    if (names.has(state.name)) throw unsupported(machine, state.name, 'two states of one name');
    names.add(state.name);
  }
}

export type TaskKind = 'lambda-invoke' | 'lambda-token' | 'lambda-function';

/** How a task reaches its function; undefined for every other integration. */
export function kindOf(resource: string | undefined): TaskKind | undefined {
  if (resource === 'arn:aws:states:::lambda:invoke') return 'lambda-invoke';
  if (resource === 'arn:aws:states:::lambda:invoke.waitForTaskToken') return 'lambda-token';
  if (resource?.startsWith('arn:aws:lambda:')) return 'lambda-function';
  return undefined;
}

const unsupported = (machine: string, state: string, what: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_UNSUPPORTED_STATE',
    `state machine ${machine}, ${state}: the local system cannot run ${what}; it runs JSONPath definitions whose tasks are Lambda functions; remedy: write it so, or add it to lib/local/states`,
    { facts: { machine, state, what } },
  );
