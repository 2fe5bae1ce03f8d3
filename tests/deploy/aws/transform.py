"""Prints the CloudFormation that SAM makes of a template: the template on standard input, JSON on standard output.

It is SAM's own transformation, which on AWS runs in the cloud; here it needs neither an account nor a network.
"""

import json
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse


def main():
    template = yaml_parse(sys.stdin.read())
    for resource in template["Resources"].values():
        uri = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}.get(resource["Type"])
        if uri:
            resource["Properties"][uri] = "s3://bucket/where-sam-deploy-puts-it"
    translator = Translator(managed_policy_map={}, sam_parser=Parser())
    json.dump(translator.translate(sam_template=template, parameter_values={}), sys.stdout)


main()
