// A custom resource request as CloudFormation sends it, read with care: every property may be missing or a string, because
// CloudFormation hands numbers and booleans on as text. Pure. What is wrong with it becomes an error with a code, which
// the stack's events then show.

import type { ConsumerDeclaration } from '../../model/consumer.ts';
import { InvalidInputError } from '../../model/errors.ts';
import type { Registration } from './port.ts';

export type RequestType = 'Create' | 'Update' | 'Delete';

/** The fields that every request has; empty strings where they were missing, because an answer must be given anyway. */
export interface RequestHead {
  requestType: RequestType | undefined;
  requestId: string;
  stackId: string;
  logicalResourceId: string;
  /** Absent in Create. */
  physicalResourceId: string | undefined;
  properties: Record<string, unknown>;
}

export function readRequestHead(event: unknown): RequestHead {
  const fields = isRecord(event) ? event : {};
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : '');
  return {
    requestType: (['Create', 'Update', 'Delete'] as const).find((type) => type === fields.RequestType),
    requestId: text('RequestId'),
    stackId: text('StackId'),
    logicalResourceId: text('LogicalResourceId'),
    physicalResourceId: text('PhysicalResourceId') || undefined,
    properties: isRecord(fields.ResourceProperties) ? fields.ResourceProperties : {},
  };
}

/** The consumer's name as declared, when it can be read at all: it is the physical id, also of a failed Create. */
export function declaredName(properties: Record<string, unknown>): string | undefined {
  try {
    const { name } = readDeclaration(properties.Declaration);
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Checked only in its form: names, types and limits are checked by the registry. @throws InvalidInputError */
export const readRegistration = (properties: Record<string, unknown>): Registration => ({
  declaration: readDeclaration(properties.Declaration),
  queueUrl: properties.QueueUrl as string,
  functionName: properties.FunctionName as string,
  owner: properties.Owner as string,
});

function readDeclaration(raw: unknown): ConsumerDeclaration {
  const fields = typeof raw === 'string' ? parse(raw) : raw;
  if (!isRecord(fields)) {
    throw new InvalidInputError('INVALID_DECLARATION', {
      what: 'property Declaration of the custom resource',
      got: raw,
      allowed: 'a ConsumerDeclaration, as JSON text or as an object',
      remedy: 'register the consumer with the EventConsumer construct, which writes it',
    });
  }
  const { name, eventTypes, effects, onPoison, startFrom, maxAttempts, groupCommits, drill, verifiesEffects } = fields;
  return {
    name,
    eventTypes,
    effects,
    onPoison,
    startFrom,
    maxAttempts: asNumber(maxAttempts),
    groupCommits: asBoolean(groupCommits),
    drill: asBoolean(drill),
    verifiesEffects: asBoolean(verifiesEffects),
  } as ConsumerDeclaration;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const asNumber = (raw: unknown): unknown => (typeof raw === 'string' && /^\d{1,9}$/.test(raw) ? Number(raw) : raw);
const asBoolean = (raw: unknown): unknown => (raw === 'true' ? true : raw === 'false' ? false : raw);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
