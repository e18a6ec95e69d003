// One resource of a template on its way into the local cloud, and what its handler gives back. A handler names every
// property that it uses or knowingly leaves out: anything else is an error, so no setting of the template is lost silently.

import { EventRecoveryError } from '../../model/errors.ts';
import type { Cloud } from '../cloud.ts';
import { type Named, physicalName } from '../names.ts';

/** `Tags` of a resource, which permissions may ask for. */
export const tagsOf = ({ properties }: Resource): Record<string, string> =>
  Object.fromEntries(
    ((properties.Tags ?? []) as { Key: string; Value: string }[]).map(({ Key, Value }) => [Key, Value]),
  );

export interface Resource {
  stackName: string;
  logicalId: string;
  type: string;
  /** Resolved: no intrinsics left. */
  properties: Record<string, unknown>;
  /** `aws:cdk:path`. */
  path?: string;
}

export interface Created {
  /** What `Ref` gives. */
  ref: string;
  /** What `Fn::GetAtt` gives. */
  attributes?: Record<string, unknown>;
}

export type Handler = (resource: Resource, cloud: Cloud) => Promise<Created> | Created;

/**
 * The properties, after a check that nothing unknown is among them.
 * @param honoured what the handler reads
 * @param leftOut what has no meaning on one machine (encryption, tags ...)
 * @throws EventRecoveryError `LOCAL_UNSUPPORTED_PROPERTY`
 */
export function propertiesOf<T>(resource: Resource, honoured: readonly string[], leftOut: readonly string[] = []): T {
  const known = new Set([...honoured, ...leftOut, 'Tags']);
  const unknown = Object.keys(resource.properties).filter((name) => !known.has(name));
  if (unknown.length === 0) return resource.properties as T;
  throw unsupportedProperty(resource, unknown.join(', '));
}

export const unsupportedProperty = (resource: Resource, what: string): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_UNSUPPORTED_PROPERTY',
    `the local system does not know ${what} of ${resource.type} (${resource.path ?? resource.logicalId}); remedy: honour it, or leave it out knowingly, in lib/local/deploy`,
    { facts: { type: resource.type, logicalId: resource.logicalId, what } },
  );

/** Name, logical id and path of a resource, with the template's own name when it gives one. */
export function namesOf(resource: Resource, given: unknown, maxLength: number): Named {
  const name = given === undefined ? physicalName(resource.stackName, resource.logicalId, maxLength) : String(given);
  return { name, logicalId: resource.logicalId, path: resource.path };
}
