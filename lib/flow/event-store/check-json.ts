// Finds the first place where a value is not JSON: what JSON.stringify would drop, change, or fail on. Pure, bounded in
// depth and in size, so that cycles and values that share their parts a billion times over end as a finding as well.

export interface NotJson {
  kind: 'not-json' | 'too-deep' | 'too-large';
  /** Where, for example `data.lines[3].price`. */
  path: string;
  got: unknown;
  /** What it is, for example "a BigInt". */
  what: string;
}

export interface JsonLimits {
  maxDepth: number;
  /** The text of the value has at least as many bytes as are counted here. */
  maxBytes: number;
}

type Key = string | number;
type Finding = Omit<NotJson, 'path'>;

/** @example findNotJson({ a: [1, undefined] }, 'data', limits) // { kind: 'not-json', path: 'data.a[1]', what: 'undefined' } */
export function findNotJson(root: unknown, name: string, limits: JsonLimits): NotJson | undefined {
  const path: Key[] = [];
  const ancestors: object[] = [];
  let bytes = 0;

  const visit = (value: unknown): Finding | undefined => {
    // Every value has at least one character and a separator.
    bytes += typeof value === 'string' ? value.length + 3 : 2;
    if (bytes > limits.maxBytes) return { kind: 'too-large', got: root, what: `more than ${limits.maxBytes} bytes` };
    if (value === null) return undefined;
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return undefined;
      case 'number':
        return Number.isFinite(value) ? undefined : notJson(value, String(value));
      case 'object':
        break;
      default:
        return notJson(value, typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`);
    }
    if (ancestors.includes(value)) return notJson(value, 'a reference to an object that contains it (a cycle)');
    if (ancestors.length >= limits.maxDepth) {
      return { kind: 'too-deep', got: value, what: `nested more than ${limits.maxDepth} levels deep` };
    }
    ancestors.push(value);
    const found = Array.isArray(value) ? visitArray(value) : visitObject(value);
    if (found === undefined) ancestors.pop();
    return found;
  };

  const visitAt = (key: Key, value: unknown): Finding | undefined => {
    path.push(key);
    const found = visit(value);
    if (found === undefined) path.pop();
    return found;
  };

  const visitArray = (array: readonly unknown[]): Finding | undefined => {
    for (let index = 0; index < array.length; index += 1) {
      const value = array[index];
      if (value === undefined && !Object.hasOwn(array, index)) {
        path.push(index);
        return notJson(value, 'a hole in a sparse array');
      }
      const found = visitAt(index, value);
      if (found !== undefined) return found;
    }
    // Keys come in order, indexes first: one more name than elements is a member that JSON leaves out.
    const extra = Object.keys(array)[array.length];
    return extra === undefined ? hiddenIn(array) : notJson(array, `an array with a member "${extra}"`);
  };

  const visitObject = (object: object): Finding | undefined => {
    if (!isPlainObject(object)) return notJson(object, `an instance of ${className(object)}`);
    for (const key of Object.keys(object)) {
      bytes += key.length + 3;
      const found = visitAt(key, (object as Record<string, unknown>)[key]);
      if (found !== undefined) return found;
    }
    return hiddenIn(object);
  };

  const found = visit(root);
  return found && { ...found, path: shortened(name + path.map(pathPart).join('')) };
}

const notJson = (got: unknown, what: string): Finding => ({ kind: 'not-json', got, what });

/** What the members do not show: a symbol that JSON leaves out, a `toJSON` that makes something else of it. */
const hiddenIn = (object: object): Finding | undefined => {
  const [symbol] = Object.getOwnPropertySymbols(object);
  if (symbol !== undefined) return notJson(object, `an object with a member ${String(symbol)}`);
  const { toJSON } = object as { toJSON?: unknown };
  return typeof toJSON === 'function' ? notJson(object, 'an object with a toJSON of its own') : undefined;
};

/** Also of another realm (a vm context, a worker), where `Object.prototype` is another one. */
function isPlainObject(object: object): boolean {
  const prototype = Object.getPrototypeOf(object);
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

const className = (object: object): string => {
  const made = (object as { constructor?: unknown }).constructor;
  return typeof made === 'function' && made.name !== '' ? made.name : 'a class';
};

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const pathPart = (key: Key): string => {
  if (typeof key === 'number') return `[${key}]`;
  return IDENTIFIER.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
};

/** A path stays readable in a message: its beginning and its end. */
const shortened = (path: string): string => (path.length <= 200 ? path : `${path.slice(0, 120)}…${path.slice(-60)}`);
