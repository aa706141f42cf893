{{- define "image" -}}
{{ .registry }}/{{ .repository }}:{{ .tag }}{{ with .sha }}@sha256:{{ trimPrefix "sha256:" . }}{{ end }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}
{{- define "restricted" -}}
{runAsNonRoot: true, runAsUser: 65534, runAsGroup: 65534, fsGroup: 65534, seccompProfile: {type: RuntimeDefault}}
{{- end }}
{{- define "unprivileged" -}}
{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
{{- end }}
