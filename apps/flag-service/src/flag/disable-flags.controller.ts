import { Controller, Inject } from '@nestjs/common';
import { DisableFlag, name, reason } from '@tidegate/contracts';
import { isRejection, type Rejection } from '@tidegate/kernel';
import {
  Asked,
  commandFrom,
  CommandRoute,
  Describe,
  type Exchange,
  NeverLimited,
  SERVICE_CONTEXT,
  type ServiceContext,
  ZodBody,
  ZodParam,
} from '@tidegate/platform';
import { z } from 'zod';
import { DISABLE_FLAGS } from '../tokens.ts';
import type { Disabled, DisableFlags } from './disable-flags.handler.ts';

const disableBody = z
  .strictObject({
    /** One that is no key is answered for like one that no flag has: it keeps no other from being turned off. */
    keys: z.array(z.string().max(1_000)).min(1).max(500).optional(),
    tag: name.optional(),
    reason,
  })
  .refine(({ keys, tag }) => (keys === undefined) !== (tag === undefined), {
    error: 'expected either keys or a tag',
    path: ['keys'],
  });

@Controller('v1/environments/:env/flags')
export class DisableFlagsController {
  readonly #context: ServiceContext;
  readonly #flags: DisableFlags;

  constructor(
    @Inject(SERVICE_CONTEXT) context: ServiceContext,
    @Inject(DISABLE_FLAGS) flags: DisableFlags,
  ) {
    this.#context = context;
    this.#flags = flags;
  }

  @CommandRoute('disable', 'operator', { environment: 'env' })
  @Describe(
    'Turns many flags off, now',
    'Those that are named, or all with a tag. The answer says what became of each: one that cannot be disabled keeps no other from it.',
  )
  @NeverLimited()
  async disable(
    @ZodParam('env', name) environment: string,
    @ZodBody(disableBody) { keys, tag, reason: why }: z.output<typeof disableBody>,
    @Asked() { caller, request }: Exchange,
  ): Promise<{ readonly items: readonly Disabled[] } | Rejection> {
    const wanted = tag === undefined ? (keys ?? []) : await this.#flags.tagged(environment, tag);
    if (isRejection(wanted)) return wanted;
    const items = await this.#flags.disable(environment, wanted, (key) =>
      commandFrom(this.#context, DisableFlag, { environment, key, reason: why }, caller, request),
    );
    return isRejection(items) ? items : { items };
  }
}
