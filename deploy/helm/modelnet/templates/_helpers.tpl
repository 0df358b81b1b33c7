{{- define "modelnet.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "modelnet.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "modelnet.labels" -}}
{{ include "modelnet.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /*
The names of the first nodes: each resolves to one pod, whatever its address is now. A node that finds itself among
them goes on with the others. The name of the headless Service would not do, since it may resolve to the asker.
*/ -}}
{{- define "modelnet.bootstrap" -}}
{{- $name := include "modelnet.name" . -}}
{{- $root := . -}}
{{- range $index := until (min (int .Values.peers.bootstrapNodes) (int .Values.replicas) | int) }}
- /dns/{{ $name }}-{{ $index }}.{{ $name }}-peers.{{ $root.Release.Namespace }}.svc/tcp/{{ $root.Values.peers.port }}
{{- end }}
{{- range .Values.peers.bootstrap }}
- {{ . }}
{{- end }}
{{- end -}}

{{- /* modelnet.yaml: what the values say, under what this chart decides. */ -}}
{{- define "modelnet.config" -}}
{{- $network := dict "listen" (list (printf "/ip4/0.0.0.0/tcp/%d" (int .Values.peers.port))) "mdns" false "bootstrap" (include "modelnet.bootstrap" . | fromYamlArray) -}}
{{- $gateway := dict "host" "0.0.0.0" "port" (int .Values.gateway.port) -}}
{{- if .Values.gateway.keySecret.name -}}
{{- $_ := set $gateway "keys" (list "env:MODELNET_KEY") -}}
{{- end -}}
{{- mergeOverwrite (deepCopy .Values.config) (dict "network" $network "gateway" $gateway "dataDir" "/var/lib/modelnet") | toYaml -}}
{{- end -}}
