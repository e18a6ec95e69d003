// The rehearsal consumer of deployed drills. Reads DRILL_TABLE and a consumer's own variables.

import { defineConsumer } from '../../lib/flow/consumer/define-consumer.ts';
import { createDynamo, createDynamoClient } from '../../lib/platform/dynamodb/client.ts';
import { environmentOf } from '../../lib/platform/environment.ts';
import { createDrillEffects } from '../../lib/recovery/drill/deployed/effects.ts';
import { rehearsal, rehearsalReact } from '../../lib/recovery/drill/deployed/rehearsal.ts';
import { rehearsalVerify } from '../../lib/recovery/drill/deployed/rehearsal-verify.ts';

const table = environmentOf(process.env).required('DRILL_TABLE');
const effects = createDrillEffects({ dynamo: createDynamo(createDynamoClient()), table });

export const { declaration, handler } = defineConsumer({
  ...rehearsal,
  // Ends the runtime as running out of memory does: no answer, no line of its own.
  verify: rehearsalVerify({ effects, now: Date.now }),
  react: rehearsalReact({ table, isCured: effects.isCured, die: () => process.exit(1) }),
});
