// Paths and templates of the States Language, as far as the recovery's definition uses them.

export interface StateContext {
  Execution: { Id: string; Name: string; Input: unknown; RedriveCount: number };
  Map?: { Item: { Index: number; Value: unknown } };
  Task?: { Token: string };
}

const PATH = /^\$\$?(?<steps>(?:\.[A-Za-z_]\w*|\[\d+\])*)$/;

/** @throws Error where nothing is: AWS fails such a state, and a definition must not count on it */
export function valueAt(path: string, input: unknown, context: StateContext): unknown {
  const found = look(path, path.startsWith('$$') ? context : input);
  if (found === undefined) throw new Error(`States.Runtime: nothing is at ${path}`);
  return found;
}

export const isPresent = (path: string, input: unknown): boolean => look(path, input) !== undefined;

function look(path: string, from: unknown): unknown {
  const steps = PATH.exec(path)?.groups?.steps;
  if (steps === undefined) throw new Error(`the path ${path} is not simulated`);
  let value = from;
  for (const [, name, index] of steps.matchAll(/\.([A-Za-z_]\w*)|\[(\d+)\]/g)) {
    if (value === null || typeof value !== 'object') return undefined;
    const key = name ?? (index as string);
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}

/** `Parameters`, `ResultSelector`, `ItemSelector`: names that end with `.$` have paths. */
export function filled(template: unknown, input: unknown, context: StateContext): unknown {
  if (Array.isArray(template)) return template.map((one) => filled(one, input, context));
  if (template === null || typeof template !== 'object') return template;
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) =>
      name.endsWith('.$') ? [name.slice(0, -2), valueAt(value, input, context)] : [name, filled(value, input, context)],
    ),
  );
}

/** Where a result goes: absent = it is the output, null = it is dropped, `$.name` = beside what was there. */
export function placed(resultPath: string | null | undefined, input: unknown, result: unknown): unknown {
  if (resultPath === undefined || resultPath === '$') return result;
  if (resultPath === null) return input;
  const name = /^\$\.(?<name>\w+)$/.exec(resultPath)?.groups?.name;
  if (name === undefined) throw new Error(`the result path ${resultPath} is not simulated`);
  return { ...(input as object), [name]: result };
}
