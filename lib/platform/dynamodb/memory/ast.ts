// The parsed forms of DynamoDB's expressions.

/** Attribute names (literal, or an alias with its `#`) and list indexes. The first part is always a name. */
export type Path = readonly (string | number)[];

export type Operand = { kind: 'path'; path: Path } | { kind: 'value'; name: string } | { kind: 'size'; of: Operand };

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type ConditionFunction =
  | 'attribute_exists'
  | 'attribute_not_exists'
  | 'attribute_type'
  | 'begins_with'
  | 'contains';

export type Condition =
  | { kind: 'and' | 'or'; left: Condition; right: Condition }
  | { kind: 'not'; of: Condition }
  | { kind: 'compare'; comparator: Comparator; left: Operand; right: Operand }
  | { kind: 'between'; of: Operand; low: Operand; high: Operand }
  | { kind: 'in'; of: Operand; candidates: Operand[] }
  | { kind: 'call'; function: ConditionFunction; args: Operand[] };

export type UpdateOperand =
  | Extract<Operand, { kind: 'path' | 'value' }>
  | { kind: 'if_not_exists'; path: Path; otherwise: UpdateOperand }
  | { kind: 'list_append'; first: UpdateOperand; second: UpdateOperand };

interface Arithmetic<Sign> {
  kind: Sign;
  left: UpdateOperand;
  right: UpdateOperand;
}

export type SetValue = UpdateOperand | Arithmetic<'+'> | Arithmetic<'-'>;

export interface Update {
  set: { path: Path; value: SetValue }[];
  remove: Path[];
  add: { path: Path; value: string }[];
  delete: { path: Path; value: string }[];
}

/** What an expression refers to, to find the undefined and the unused. */
export interface References {
  names: Set<string>;
  values: Set<string>;
  /** First parts of all document paths. */
  roots: Set<string>;
}
