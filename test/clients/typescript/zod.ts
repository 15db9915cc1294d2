// The story with the schemas that orval makes for zod: what is sent and what comes back fits them.
import assert from 'node:assert/strict';
import * as schemas from './generated/zod.js';

const base = process.env.CLINIC_URL;
const unique = String(Date.now()).slice(-9);

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; data: unknown }> {
  const response = await fetch(base + path, {
    method,
    headers: { 'x-tidepool-session-token': 'server', 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, data: text === '' ? undefined : JSON.parse(text) };
}

const clinics = schemas.ListClinicsResponse.parse((await call('GET', '/v1/clinics?limit=1000')).data);
const clinic = `/v1/clinics/${clinics[0].id}`;

const newTag = schemas.CreatePatientTagBody.parse({ name: `Z ${unique}` });
const tag = schemas.CreatePatientTagResponse.parse((await call('POST', `${clinic}/patient_tags`, newTag)).data);
const newSite = schemas.CreateSiteBody.parse({ name: `Zoë's ${unique}` });
const site = schemas.CreateSiteResponse.parse((await call('POST', `${clinic}/sites`, newSite)).data);

const body = schemas.CreatePatientAccountBody.parse({ fullName: 'Zoë Zod', birthDate: '2001-02-03', mrn: `Z${unique}` });
const created = schemas.CreatePatientAccountResponse.parse((await call('POST', `${clinic}/patients`, body)).data);
const patient = `${clinic}/patients/${created.id}`;
assert.equal(schemas.GetPatientResponse.parse((await call('GET', patient)).data).mrn, body.mrn);

const change = schemas.UpdatePatientBody.parse({ ...body, tags: [tag.id], sites: [{ id: site.id, name: site.name }] });
const updated = schemas.UpdatePatientResponse.parse((await call('PUT', patient, change)).data);
assert.deepEqual(updated.tags, [tag.id]);
assert.equal(updated.sites?.[0]?.id, site.id);

const list = schemas.ListPatientsResponse.parse((await call('GET', `${clinic}/patients?tags=${tag.id}`)).data);
assert.deepEqual(list.data?.map((p) => p.id), [created.id]);
assert(schemas.CreatePatientTagBody.safeParse({ name: '' }).success === false, 'zod refuses what the service refuses');

assert.equal((await call('GET', `${clinic}/patients/0000000000`)).status, 404);
assert.equal((await call('DELETE', `${clinic}/patient_tags/${tag.id}`)).status, 204);
assert.equal((await call('DELETE', `${clinic}/sites/${site.id}`)).status, 204);
console.log('orval with zod: the story passes');
