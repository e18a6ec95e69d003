// The order in which a template's resources are created: whatever a resource refers to comes before it. Pure, stable
// (ties keep the order of the file), and a circle is an error with the ids that form it.

import { EventRecoveryError } from '../../model/errors.ts';
import { attributePath, intrinsicOf, substitutedNames } from './intrinsics.ts';
import type { TemplateResource } from './template.ts';

/** Logical ids in creation order. @throws EventRecoveryError `LOCAL_CIRCULAR_TEMPLATE` */
export function creationOrder(resources: Readonly<Record<string, TemplateResource>>): string[] {
  const order: string[] = [];
  const done = new Set<string>();
  const open: string[] = [];
  const visit = (id: string): void => {
    if (done.has(id)) return;
    if (open.includes(id)) throw circle([...open.slice(open.indexOf(id)), id]);
    open.push(id);
    for (const dependency of dependenciesOf(resources[id] as TemplateResource)) {
      if (Object.hasOwn(resources, dependency)) visit(dependency);
    }
    open.pop();
    done.add(id);
    order.push(id);
  };
  for (const id of Object.keys(resources)) visit(id);
  return order;
}

/** Names that a resource refers to: by DependsOn, Ref, Fn::GetAtt and Fn::Sub. Includes parameters. */
export function dependenciesOf(resource: TemplateResource): Set<string> {
  const names = new Set<string>([resource.DependsOn ?? []].flat());
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const element of value) walk(element);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    const intrinsic = intrinsicOf(value);
    if (intrinsic?.name === 'Ref') names.add(String(intrinsic.argument));
    if (intrinsic?.name === 'Fn::GetAtt') names.add(attributePath(intrinsic.argument)[0]);
    if (intrinsic?.name === 'Fn::Sub') for (const name of substitutedNames(intrinsic.argument)) names.add(name);
    for (const part of Object.values(value)) walk(part);
  };
  walk(resource.Properties);
  return names;
}

const circle = (ids: string[]): EventRecoveryError =>
  new EventRecoveryError(
    'LOCAL_CIRCULAR_TEMPLATE',
    `resources refer to each other in a circle: ${ids.join(' -> ')}; remedy: break the circle in the CDK app`,
    { facts: { ids } },
  );
