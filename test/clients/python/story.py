"""The story with the client that openapi-python-client makes."""

import datetime
import os
import time

from generated.clinic.api.clinics import list_clinics
from generated.clinic.api.patient_groups import create_patient_tag, create_site, delete_patient_tag, delete_site
from generated.clinic.api.patients import create_patient_account, get_patient, list_patients, update_patient
from generated.clinic.client import Client
from generated.clinic.models import PatientRequestV1, PatientTagRequestV1, SiteCreationV1, SiteRequestV1

client = Client(base_url=os.environ["CLINIC_URL"], headers={"x-tidepool-session-token": "server"})
unique = str(time.time_ns())[-9:]

clinic = list_clinics.sync(client=client, limit=1000)[0].id
tag = create_patient_tag.sync(clinic, client=client, body=PatientTagRequestV1(name=f"P {unique}"))
site = create_site.sync(clinic, client=client, body=SiteCreationV1(name=f"Python {unique}"))

body = PatientRequestV1(full_name="Pia Python", birth_date=datetime.date(2001, 2, 3), mrn=f"P{unique}")
created = create_patient_account.sync(clinic, client=client, body=body)
assert get_patient.sync(clinic, created.id, client=client).mrn == body.mrn

body.tags = [tag.id]
body.sites = [SiteRequestV1(id=site.id, name=site.name)]
updated = update_patient.sync(clinic, created.id, client=client, body=body)
assert updated.tags == [tag.id], updated
assert [s.id for s in updated.sites] == [site.id]

page = list_patients.sync(clinic, client=client, tags=[tag.id])
assert [p.id for p in page.data] == [created.id]

unknown = get_patient.sync_detailed(clinic, "0000000000", client=client)
assert unknown.status_code == 404 and unknown.parsed.code == 404, unknown

assert delete_patient_tag.sync_detailed(clinic, tag.id, client=client).status_code == 204
assert delete_site.sync_detailed(clinic, site.id, client=client).status_code == 204
print("openapi-python-client: the story passes")
