{{- define "watchbill.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "watchbill.selector" -}}
app.kubernetes.io/name: watchbill
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "watchbill.labels" -}}
{{ include "watchbill.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "watchbill.container-security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* What cannot work is refused here, with what to do, rather than in the night. */ -}}
{{- define "watchbill.check" -}}
{{- if hasPrefix "sqlite" (.Values.config.database | default "sqlite") -}}
{{- fail "config.database: this chart runs replicas, which need one PostgreSQL; write ${DATABASE_URL}" -}}
{{- end -}}
{{- if not .Values.secret -}}
{{- fail "secret: name the Secret with DATABASE_URL and the tokens" -}}
{{- end -}}
{{- if and (eq (dig "slack" "mode" "socket" .Values.config) "socket") (gt (int .Values.replicaCount) 4) -}}
{{- fail "replicaCount: in Socket Mode at most 4, as Slack allows ten connections and an upgrade runs one replica more; use slack.mode http for more" -}}
{{- end -}}
{{- if and .Values.roster.csv .Values.roster.configMap -}}
{{- fail "roster: give csv or configMap, not both" -}}
{{- end -}}
{{- if and (hasSuffix ".csv" (.Values.config.roster | default "")) (not .Values.roster.csv) (not .Values.roster.configMap) -}}
{{- fail "roster: config.roster names a file; give its text as roster.csv, or a ConfigMap" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host: under which name do senders find it?" -}}
{{- end -}}
{{- if and .Values.backup.enabled (not .Values.backup.claim) -}}
{{- fail "backup.claim: name the PersistentVolumeClaim that takes the dumps" -}}
{{- end -}}
{{- end -}}
