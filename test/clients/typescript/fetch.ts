// The story with openapi-typescript and openapi-fetch.
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import type { paths } from './generated/openapi.js';

const client = createClient<paths>({ baseUrl: process.env.CLINIC_URL, headers: { 'x-tidepool-session-token': 'server' } });
const unique = String(Date.now()).slice(-9);

const clinics = await client.GET('/v1/clinics', { params: { query: { limit: 1000 } } });
const clinicId = clinics.data?.[0]?.id;
assert(clinicId, 'there is a clinic');
const path = { clinicId };

const tag = await client.POST('/v1/clinics/{clinicId}/patient_tags', { params: { path }, body: { name: `F ${unique}` } });
assert(tag.data?.id);
const site = await client.POST('/v1/clinics/{clinicId}/sites', { params: { path }, body: { name: `Fetch ${unique}` } });
assert(site.data?.id);

const body = { fullName: 'Fay Fetch', birthDate: '2001-02-03', mrn: `F${unique}` };
const created = await client.POST('/v1/clinics/{clinicId}/patients', { params: { path }, body });
const patientId = created.data?.id;
assert(patientId, JSON.stringify(created.error));

const one = { path: { clinicId, patientId } };
const read = await client.GET('/v1/clinics/{clinicId}/patients/{patientId}', { params: one });
assert.equal(read.data?.mrn, body.mrn);

const updated = await client.PUT('/v1/clinics/{clinicId}/patients/{patientId}', {
  params: one, body: { ...body, tags: [tag.data.id], sites: [{ id: site.data.id, name: site.data.name }] },
});
assert.deepEqual(updated.data?.tags, [tag.data.id], JSON.stringify(updated.error));
assert.equal(updated.data?.sites?.[0]?.id, site.data.id);

const list = await client.GET('/v1/clinics/{clinicId}/patients', { params: { path, query: { tags: [tag.data.id] } } });
assert.deepEqual(list.data?.data?.map((p) => p.id), [patientId]);

const unknown = await client.GET('/v1/clinics/{clinicId}/patients/{patientId}', { params: { path: { clinicId, patientId: '0000000000' } } });
assert.equal(unknown.response.status, 404);
assert.equal(unknown.error?.code, 404);

assert.equal((await client.DELETE('/v1/clinics/{clinicId}/patient_tags/{patientTagId}', { params: { path: { clinicId, patientTagId: tag.data.id } } })).response.status, 204);
assert.equal((await client.DELETE('/v1/clinics/{clinicId}/sites/{siteId}', { params: { path: { clinicId, siteId: site.data.id } } })).response.status, 204);
console.log('openapi-fetch: the story passes');
