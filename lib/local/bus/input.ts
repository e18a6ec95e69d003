// What a rule's target receives: the whole event, a part of it, a constant, or a transformed text. Pure.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html

export interface TargetInput {
  Input?: string;
  InputPath?: string;
  InputTransformer?: { InputPathsMap?: Record<string, string>; InputTemplate: string };
}

/** The payload for a target as text. */
export function targetPayload(target: TargetInput, event: object): string {
  if (target.Input !== undefined) return target.Input;
  if (target.InputPath !== undefined) return JSON.stringify(valueAt(event, target.InputPath) ?? null);
  if (target.InputTransformer === undefined) return JSON.stringify(event);
  const { InputPathsMap: paths = {}, InputTemplate: template } = target.InputTransformer;
  return template.replaceAll(/("?)<([A-Za-z0-9._-]+)>("?)/g, (whole, before: string, name: string, after: string) => {
    const path = paths[name];
    if (path === undefined) return whole;
    const value = valueAt(event, path);
    // Inside quotes the value stands as text; elsewhere as JSON.
    if (before === '"' && after === '"')
      return JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value ?? ''));
    return `${before}${JSON.stringify(value ?? null)}${after}`;
  });
}

/** `$`, `$.a.b`, `$.a[0].b` and names with dashes, as EventBridge takes them. */
function valueAt(event: object, path: string): unknown {
  const parts = [...path.replace(/^\$/, '').matchAll(/\.([^.[\]]+)|\[(\d+)\]/g)];
  let value: unknown = event;
  for (const [, name, index] of parts) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[name ?? index ?? ''];
  }
  return value;
}
