// AWS::StepFunctions::StateMachine: the definition is checked and run by the local interpreter; its role must be allowed to
// invoke every function that a task names.

import { arn } from '../names.ts';
import { type Definition, statesOf } from '../states/definition.ts';
import { notPermitted } from './messaging.ts';
import { type Handler, namesOf, propertiesOf, type Resource, unsupportedProperty } from './resource.ts';

interface MachineProperties {
  StateMachineName?: string;
  StateMachineType?: string;
  RoleArn: string;
  DefinitionString?: string;
  Definition?: Definition;
  DefinitionSubstitutions?: Record<string, unknown>;
}

const HONOURED = [
  'StateMachineName',
  'StateMachineType',
  'RoleArn',
  'DefinitionString',
  'Definition',
  'DefinitionSubstitutions',
];
const LEFT_OUT = ['LoggingConfiguration', 'TracingConfiguration', 'EncryptionConfiguration'];

export const createStateMachine: Handler = (resource, cloud) => {
  const properties = propertiesOf<MachineProperties>(resource, HONOURED, LEFT_OUT);
  if (properties.StateMachineType === 'EXPRESS') throw unsupportedProperty(resource, 'StateMachineType EXPRESS');
  const named = namesOf(resource, properties.StateMachineName, 80);
  const machineArn = arn('states', `stateMachine:${named.name}`);
  const definition = definitionOf(resource, properties);
  cloud.machines.add({ ...named, arn: machineArn, roleArn: properties.RoleArn, definition });
  cloud.onStart(() => {
    for (const functionArn of functionsOf(definition)) {
      const need = { action: 'lambda:InvokeFunction', resource: functionArn };
      const refusal = cloud.identities.roleDenied(properties.RoleArn, need);
      if (refusal !== undefined) throw notPermitted(resource.path ?? resource.logicalId, refusal);
    }
  });
  return { ref: machineArn, attributes: { Arn: machineArn, Name: named.name, StateMachineRevisionId: 'local' } };
};

function definitionOf(resource: Resource, properties: MachineProperties): Definition {
  const text = properties.DefinitionString ?? JSON.stringify(properties.Definition ?? null);
  const substitutions = properties.DefinitionSubstitutions ?? {};
  const complete = text.replaceAll(/\$\{([A-Za-z0-9_-]+)\}/g, (whole, name: string) =>
    Object.hasOwn(substitutions, name) ? String(substitutions[name]) : whole,
  );
  const definition = JSON.parse(complete) as Definition | null;
  if (definition?.States) return definition;
  throw unsupportedProperty(resource, 'a definition outside of the template');
}

/** Functions that tasks name; one that is known only at run time is checked by nobody. */
const functionsOf = (definition: Definition): string[] =>
  statesOf(definition).flatMap((state) => {
    if (state.Type !== 'Task') return [];
    if (state.Resource?.startsWith('arn:aws:lambda:')) return [state.Resource];
    const { FunctionName } = (state.Parameters ?? {}) as { FunctionName?: string };
    return FunctionName?.startsWith('arn:aws:lambda:') ? [FunctionName] : [];
  });
