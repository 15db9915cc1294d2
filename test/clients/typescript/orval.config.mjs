// Schemas for zod, from the document that .ci/steps/clients has fetched from the running service.
export default {
  zod: { input: 'generated/openapi.json', output: { client: 'zod', target: 'generated/zod.ts' } },
};
