import type { HttpRequest, Violation } from '@tidegate/sdk/nest';

/**
 * What carts will have to keep: each sku once and in lower case. The mode flag `cart-rules` brings it in: first off,
 * then with a warning, then enforced. The body may have any form here; whether it has the right one is asked later.
 */
export function cartViolations({ body }: HttpRequest): readonly Violation[] {
  const { items } = (body ?? {}) as { readonly items?: unknown };
  const seen = new Set<unknown>();
  return (Array.isArray(items) ? items : []).flatMap((item: unknown, index) => {
    const { sku } = (item ?? {}) as { readonly sku?: unknown };
    if (typeof sku !== 'string') return [];
    const isRepeated = seen.has(sku);
    seen.add(sku);
    const problems = [
      ...(sku === sku.toLowerCase() ? [] : ['a sku is in lower case']),
      ...(isRepeated ? ['this sku is in the cart already: raise its quantity'] : []),
    ];
    return problems.map((detail) => ({ pointer: `#/items/${index}/sku`, detail }));
  });
}
