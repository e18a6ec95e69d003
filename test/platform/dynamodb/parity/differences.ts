// Where DynamoDB Local words an error differently from AWS. The memory engine says what AWS says. A pair of messages that one
// of these differences covers counts as equal; everything not listed here must be equal to the letter.

interface Difference {
  name: string;
  memory: RegExp;
  local: RegExp;
}

const DIFFERENCES: readonly Difference[] = [
  {
    name: 'key does not fit the schema',
    memory: /^The provided key element does not match the schema$/,
    local:
      /^(The number of conditions on the keys is invalid|One of the required keys was not given a value|One or more parameter values were invalid: Type mismatch for key|Invalid attribute value type)$/,
  },
  {
    name: 'item without its key',
    memory: /^One or more parameter values were invalid: Missing the key \w+ in the item$/,
    local: /^One of the required keys was not given a value$/,
  },
  {
    name: 'key of another type in an item',
    memory: /^One or more parameter values were invalid: Type mismatch for key \w+ expected: \w+ actual: \w+$/,
    local: /^(One or more parameter values were invalid: Type mismatch for key|Invalid attribute value type)$/,
  },
  {
    name: 'index key of another type',
    memory:
      /^(One or more parameter values were invalid: Type mismatch for Index Key .* IndexName: \w+|The update expression attempted to update the secondary index key to unsupported type)$/,
    local: /^(One or more parameter values were invalid: Type mismatch for Index Key|Invalid attribute value type)$/,
  },
  {
    name: 'key too long',
    memory:
      /^One or more parameter values were invalid: (Size of hashkey has exceeded|Aggregated size of all range keys)/,
    local: /^Hash primary key values must be under 2048 bytes, and range primary key values must be under 1024 bytes$/,
  },
  {
    name: 'too many digits',
    memory: /^Attempting to store more than 38 significant digits in a Number$/,
    local: /^DynamoDB only supports precision up to 38 digits$/,
  },
  {
    name: 'limit',
    memory: /at 'limit' failed to satisfy constraint/,
    local: /^Limit must be greater than or equal to 1$/,
  },
  { name: 'select', memory: /at 'select' failed to satisfy constraint/, local: /^Select must be ALL_ATTRIBUTES, / },
  {
    name: 'start key',
    memory: /^The provided starting key is (invalid|outside query boundaries based on provided conditions)$/,
    local:
      /^(Exclusive Start Key must have same size as table's key schema|Type mismatch for attribute to update|The provided starting key does not match the range key predicate|The provided starting key is invalid.*)$/,
  },
  {
    name: 'key condition lacks a key',
    memory: /^Query condition missed key schema element: \w+$/,
    local: /^Query condition missed key schema element$/,
  },
  {
    name: 'segment',
    memory: /^The (TotalSegments parameter is required|Segment parameter is)/,
    local: /^(If (segment|total segments) is specified|1 validation error detected: Value '\d+' at 'segment')/,
  },
  {
    name: 'empty batch',
    memory: /^1 validation error detected: Value at 'requestItems(\.keys)?' failed to satisfy constraint/,
    local:
      /^(BatchWriteItem cannot have a null or no requests set|The batch write request list for a table cannot be null or empty: \w+|BatchGetItem must have some requests set|The list of keys in RequestItems for BatchGetItem is required: \w+ has empty list)$/,
  },
  {
    name: 'number of items in a transaction',
    memory: /^1 validation error detected: Value at 'transactItems' failed to satisfy constraint/,
    local:
      /^(Value \[\] at 'transactItems' failed to satisfy constraint: |)Member must have length (greater|less) than or equal to (1|100)$/,
  },
  {
    name: 'element without operation',
    memory: /^TransactItems can only contain one of Check, Put, Update or Delete$/,
    local: /^Invalid Request: TransactWriteRequest should contain Delete or Put or Update request$/,
  },
  {
    name: 'token with other content',
    memory: /^The request uses the same client token as a previous, but non-identical request$/,
    local: /^UnknownError$/,
  },
  {
    name: 'condition',
    memory: /^The conditional request failed$/,
    local: /^The conditional request failed\.$/,
  },
];

/** What DynamoDB Local did, with the memory engine's wording wherever a known difference covers the pair of messages. */
export function reconciled(local: unknown, memory: unknown, field = ''): unknown {
  if (typeof local === 'string' && typeof memory === 'string') {
    const known =
      /^message$/i.test(field) && DIFFERENCES.some((one) => one.memory.test(memory) && one.local.test(local));
    return known ? memory : local;
  }
  if (Array.isArray(local))
    return local.map((one, i) => reconciled(one, Array.isArray(memory) ? memory[i] : undefined));
  if (!isPlain(local)) return local;
  const other = isPlain(memory) ? memory : {};
  return Object.fromEntries(Object.entries(local).map(([name, one]) => [name, reconciled(one, other[name], name)]));
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value)?.constructor?.name === 'Object';
