// The part of Parameter Store's API that functions may call: reading the parameters that the stacks wrote.

import { arn } from '../names.ts';
import type { ServiceHandler } from './gateway.ts';
import { errorReply, jsonReply } from './replies.ts';

export const ssmService =
  (parameters: ReadonlyMap<string, string>): ServiceHandler =>
  async (call) => {
    const input = JSON.parse(call.bodyText() || '{}') as {
      Name?: string;
      Names?: string[];
      Path?: string;
      Recursive?: boolean;
    };
    const one = (name: string) => ({
      Name: name,
      Type: 'String',
      Value: parameters.get(name),
      Version: 1,
      ARN: arn('ssm', `parameter/${name.replace(/^\//, '')}`),
      DataType: 'text',
    });
    switch (call.operation) {
      case 'GetParameter': {
        const name = input.Name ?? '';
        if (!parameters.has(name)) return errorReply('ssm', 'ParameterNotFound', `${name} does not exist`);
        return jsonReply({ Parameter: one(name) });
      }
      case 'GetParameters': {
        const names = input.Names ?? [];
        const found = names.filter((name) => parameters.has(name));
        return jsonReply({
          Parameters: found.map(one),
          InvalidParameters: names.filter((name) => !parameters.has(name)),
        });
      }
      case 'GetParametersByPath': {
        const prefix = `${(input.Path ?? '/').replace(/\/$/, '')}/`;
        const below = (name: string): boolean =>
          name.startsWith(prefix) && (input.Recursive === true || !name.slice(prefix.length).includes('/'));
        return jsonReply({ Parameters: [...parameters.keys()].filter(below).map(one) });
      }
      default:
        return errorReply(
          'ssm',
          'UnknownOperationException',
          `the local Parameter Store has no ${call.operation}; it has GetParameter, GetParameters, GetParametersByPath`,
        );
    }
  };
